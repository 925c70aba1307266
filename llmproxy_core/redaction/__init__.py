"""What is written of a call: without secrets, or without any text at all."""
