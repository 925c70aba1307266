"""What is written of a call of which no text is to be kept."""
