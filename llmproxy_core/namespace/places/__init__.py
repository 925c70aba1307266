"""Where tools' names stand in each wire format: a small file a family, and one register.

A request's grammar is strict: only the client's own tools are found. An answer's is lenient, as
keys may come in any order and pieces: what is found there and has no prefix stays as it is.
"""
