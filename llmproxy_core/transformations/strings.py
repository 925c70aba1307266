"""Changes within JSON strings: of the bytes that say something else, not of the whole string."""

import re
from collections.abc import Iterator, Sequence

import orjson

from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.transformations.nodes import Node

BETWEEN = "\n\n"
"""Between a system prompt and what is added to it."""
UNIT = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
"""An escape, a pair of surrogates as one."""


def quoted(text: str | bytes) -> bytes:
    """As a JSON string; bytes are UTF-8."""
    return orjson.dumps(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def written(text: str | bytes) -> bytes:
    """Without the quotes."""
    return quoted(text)[1:-1]


def append(node: Node, text: str) -> None:
    """To a string, after an empty line; not where it ends so already."""
    said = node.said() or ""
    if said == text or said.endswith(BETWEEN + text):
        return
    at = node.end - 1
    node.splice([(at, at, written(BETWEEN + text if said else text))])


def prepend(node: Node, text: str) -> None:
    said = node.said() or ""
    if said == text or said.startswith(text + BETWEEN):
        return
    at = node.start + 1
    if any(edit[0] == at for edit in node.edits()):
        node.replace(quoted(text + BETWEEN + said if said else text))
        return
    node.splice([(at, at, written(text + BETWEEN if said else text))])


def utf8(node: Node) -> bytes:
    """What a string says; nothing, if it is no UTF-8. Lone surrogates become what no UTF-8 has, so
    that nothing matches them."""
    node.settle()
    inner = node.text[node.start + 1 : node.end - 1]
    try:
        inner.decode()
    except UnicodeDecodeError:
        return b""
    return inner if b"\\" not in inner else (node.said() or "").encode("utf-8", "surrogatepass")


def rewrite(node: Node, changes: Sequence[Edit]) -> None:
    """`changes`: by offsets into `utf8(node)`, in order."""
    inner = node.text[node.start + 1 : node.end - 1]
    wanted = [edge for start, end, _ in changes for edge in (start, end)]
    found = wanted if b"\\" not in inner else [*_positions(inner, wanted)]
    base = node.start + 1
    node.splice(
        [
            (base + start, base + end, written(new))
            for start, end, (_, _, new) in zip(found[::2], found[1::2], changes, strict=True)
        ]
    )


def _positions(inner: bytes, wanted: Sequence[int]) -> Iterator[int]:
    """Offsets into what a string says -> offsets into its bytes."""
    said = done = at = 0
    for unit in UNIT.finditer(inner):
        run = unit.start() - done
        while at < len(wanted) and wanted[at] <= said + run:
            yield done + wanted[at] - said
            at += 1
        said += run + _size(unit[0])
        done = unit.end()
    for rest in wanted[at:]:
        yield done + rest - said


def _size(unit: bytes) -> int:
    """Bytes of UTF-8 of what an escape says."""
    if len(unit) == 2:
        return 1
    if len(unit) > 6:
        return 4
    code = int(unit[2:6], 16)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3
