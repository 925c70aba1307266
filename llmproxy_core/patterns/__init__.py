"""Patterns: what is asked again and again."""
