"""Texts inside a text: encoded, rotated, backwards, or with a blank after every letter."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmproxy_core.anomaly.reading.encodings import decoded
from llmproxy_core.anomaly.reading.scanning import Pattern

type Disguise = Literal["encoded", "rotated", "backwards", "spaced"]

MOST = 8
"""Blobs of one text that are decoded."""
LONGEST = 1 << 14
"""Characters of a text that is turned about."""
_BLOB = Pattern(r"[A-Za-z0-9+/_=%-]{24,}")
_SPACED = re.compile(r"(?<!\w)\w(?:[ ._*|-]\w(?!\w)){5,}+")


@dataclass(frozen=True, slots=True)
class View:
    """What is to be read instead of the characters `start:end`."""

    text: str
    start: int
    end: int
    said: str


def blobs(text: str) -> Iterator[View]:
    """The readable texts that are in base64, hex and the like."""
    for start, end in _BLOB.places(text, MOST):
        meant = decoded(text[start:end])
        if meant is not None:
            yield View(meant, start, end, "encoded")


def turned(text: str, disguises: frozenset[Disguise]) -> Iterator[View]:
    """The text as it is meant, for each way in which it seems to be disguised."""
    if "encoded" in disguises:
        yield from blobs(text)
    head = text[:LONGEST]
    if "rotated" in disguises:
        yield View(codecs.encode(head, "rot13"), 0, len(head), "rotated by 13 letters")
    if "backwards" in disguises:
        yield View(head[::-1], 0, len(head), "written backwards")
    if "spaced" in disguises:
        closed = _SPACED.sub(lambda run: re.sub(r"[ ._*|-]", "", run.group()), head)
        yield View(closed, 0, len(head), "with blanks between its letters")
