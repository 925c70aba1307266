"""Secrets replaced by marks in all that is written of a call; what passes is not touched."""
