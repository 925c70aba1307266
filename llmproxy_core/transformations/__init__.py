"""Changes to requests: rules that a person writes, edits of enhancements, variants of experiments.

All are lists of operations (`sections.operations`), done on the request's own bytes: what is not
edited stays as it came. docs/transformations.md describes them.
"""
