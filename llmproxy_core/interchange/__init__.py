"""Calls from files and into files: `llmproxy import` and `llmproxy export`.

`incoming/` reads HAR, mitmproxy's flow files and JSON lines; every exchange in them becomes a
record of a journal in the spool, which the worker stores like any other. `outgoing/` writes what
is in the store, read anew from the bodies.
"""
