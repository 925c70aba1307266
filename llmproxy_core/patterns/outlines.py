"""By what the lines of a text begin with it is known again, whatever they name.

Apart from `families`, as a proxy needs no more than this, and no numpy.
"""

from collections.abc import Iterable, Sequence

from llmproxy_core.hashing import checksum
from llmproxy_core.patterns.constant import SLOT
from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.readings import READINGS, Reading
from llmproxy_core.providers.frames import FRAMED, client_line

type Lines = tuple[tuple[int, int], ...]
"""Of each line the hash of what it begins with, and of what is behind that; 0: nothing is."""


def hashed(heads: Iterable[tuple[str, str]]) -> Lines:
    return tuple((_hash(head), 0 if rest in ("", SLOT) else _hash(rest)) for head, rest in heads)


def outline(read: Lines) -> int:
    """Hash of what the lines begin with; of all that they say where they only name things."""
    named = sum(rest != 0 for _, rest in read)
    told = [head for head, _ in read] if 2 * named < len(read) else read
    return checksum(repr(told).encode())


def system_outline(text: str) -> int | None:
    """Of a system prompt; None: it says nothing."""
    return _outline(text, READINGS["system"])


def tools_outline(wire: str, body: bytes) -> int | None:
    """Of the tools that a request offers; None: none."""
    lines = tool_lines(wire, client_line(body) if wire in FRAMED else body)
    return _outline("\n".join(lines), READINGS["tools"])


def _outline(text: str, reading: Reading) -> int | None:
    lines: Sequence[str] = reading.lines(text)
    return outline(hashed(reading.heads(lines))) if lines else None


def _hash(text: str) -> int:
    return checksum(text.encode("utf-8", "replace"))
