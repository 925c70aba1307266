"""Suggestions by the advisor: which pattern is asked about, what, and which answers are taken."""
