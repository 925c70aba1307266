"""What a tool call would do that cannot be undone, or lets somebody else in."""
