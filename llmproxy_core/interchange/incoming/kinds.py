"""What a file is, told by how it begins; its name says nothing. A new format is a line here."""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.incoming import flowfile, har, jsonl
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import Source

type Reader = Callable[[Source], Iterator[Recording | Skipped]]

BOM = b"\xef\xbb\xbf"
IS_HAR = re.compile(rb'\s*\{\s*"log"\s*:')
IS_FLOWS = re.compile(rb"\d{1,12}:")
IS_LINES = re.compile(rb'\s*\{\s*"')


class Kind(StrEnum):
    har = "har"
    mitm = "mitm"
    jsonl = "jsonl"


READERS: dict[Kind, Reader] = {
    Kind.har: har.recordings,
    Kind.mitm: flowfile.recordings,
    Kind.jsonl: jsonl.recordings,
}


def kind_of(source: Source) -> Kind:
    """Raises InterchangeError where it is none of them."""
    head = source.head.removeprefix(BOM)
    if not head.strip():
        raise InterchangeError(f"{source.name}: there is nothing in it")
    if IS_FLOWS.match(head):
        return Kind.mitm
    if IS_HAR.match(head):
        return Kind.har
    if IS_LINES.match(head):
        return Kind.jsonl
    raise InterchangeError(
        f"{source.name}: not a HAR, a flow file of mitmproxy or JSON lines: it begins with "
        f"{head[:16]!r}. If it is one of them, say which: --format har, mitm or jsonl."
    )
