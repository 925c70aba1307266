"""Takes the tokens out of an answer of which something was masked: they say it again, in pieces.

Each with its probability, its alternatives, and its bytes as numbers: no detector knows them.
"""

import re

BEGINS = re.compile(rb'"(?:logprobs|logprobsResult)"\s*+:\s*+(?=[\[{])')
STEP = re.compile(rb'[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
EMPTY = {ord("["): b"[]", ord("{"): b"null"}


def without_logprobs(data: bytes) -> bytes:
    """A JSON text, or an event of a stream; the same object if it has none."""
    kept, at = list[bytes](), 0
    while found := BEGINS.search(data, at):
        kept += data[at : found.end()], EMPTY[data[found.end()]]
        at = _end(data, found.end())
    return b"".join([*kept, data[at:]]) if kept else data


def _end(data: bytes, at: int) -> int:
    """Behind the value that begins there; all of the rest, if it does not end."""
    depth = 0
    for step in STEP.finditer(data, at):
        depth += step[0] in (b"[", b"{")
        depth -= step[0] in (b"]", b"}")
        if not depth:
            return step.end()
    return len(data)
