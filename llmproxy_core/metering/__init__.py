"""What calls may take and what they took, measured for the limits."""
