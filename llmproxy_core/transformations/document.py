"""A request's body as a tree of nodes, and JSON pointers into it (RFC 6901)."""

from collections.abc import Iterator
from typing import Any

import orjson

from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.walk import BLANK, OPEN
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.nodes import Node, Path, Span

OPTIONS = orjson.OPT_NON_STR_KEYS


class Document:
    """`fields`: of the body, if they are known. Raises Cannot: the body is no JSON object."""

    __slots__ = ("body", "root")

    def __init__(self, body: bytes, fields: Fields | None = None) -> None:
        blank = BLANK.match(body)
        start = blank.end() if blank else 0
        if start >= len(body) or body[start] != OPEN:
            raise Cannot("unreadable", "the body is no JSON object")
        self.body = body
        self.root = Node(body, start, len(body.rstrip()), fields)
        _ = self.root.items

    def places(self) -> dict[str, Span]:
        """Where the values of its members stood in the body that came."""
        return {} if self.root.fresh else self.root.places()

    def edits(self) -> list[Edit]:
        """All that was changed, as edits of `body`."""
        if self.root.fresh:
            return [(0, len(self.body), self.root.raw())]
        return self.root.edits()

    def written(self, edits: list[Edit]) -> bytes:
        return edited(self.body, edits)


def at(node: Node, path: Path) -> Node | None:
    """What is there; None: nothing."""
    for step in path:
        found = _step(node, step)
        if found is None:
            return None
        node = found
    return node


def each(node: Node, path: Path) -> Iterator[Node]:
    """As `at`, but `*` stands for all elements of an array."""
    if not path:
        yield node
    elif path[0] == "*":
        for element in node.elements():
            yield from each(element, path[1:])
    elif (found := _step(node, path[0])) is not None:
        yield from each(found, path[1:])


def put(node: Node, path: Path, value: bytes) -> None:
    """Objects on the way are made. Raises Cannot: something else is in the way."""
    for number, step in enumerate(path[:-1]):
        found = _step(node, step)
        if found is None or found.null:
            if node.kind != "object":
                raise _in_the_way(path[:number])
            found = node.put(str(step), b"{}")
        node = found
    last = path[-1]
    if node.kind == "object":
        node.put(str(last), value)
    elif node.kind == "array" and last == "-":
        node.append(value)
    elif node.kind == "array" and (found := _step(node, last)) is not None:
        found.replace(value)
    else:
        raise _in_the_way(path[:-1])


def drop(node: Node, path: Path) -> bool:
    """Was it there?"""
    owner = at(node, path[:-1])
    if owner is None or owner.kind not in ("object", "array"):
        return False
    last = path[-1]
    return owner.remove(_index(last) if owner.kind == "array" else str(last))


def pointed(pointer: str) -> Path:
    """The steps of a JSON pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def dumped(value: Any) -> bytes:
    """The JSON of a value of a rule. Raises Cannot: it holds what JSON has not."""
    try:
        return orjson.dumps(value, option=OPTIONS)
    except orjson.JSONEncodeError as error:
        raise Cannot("refused", f"a value that JSON does not have: {error}") from None


def _step(node: Node, step: str | int) -> Node | None:
    if node.kind == "array":
        items, index = node.items, _index(step)
        return items[index].node if 0 <= index < len(items) else None
    return node.get(str(step))


def _index(step: str | int) -> int:
    if isinstance(step, int):
        return step
    plain = step.isascii() and step.isdigit() and len(step) < 8
    return int(step) if plain and step == str(int(step)) else -1


def _in_the_way(path: Path) -> Cannot:
    return Cannot("elsewhere", f"at {pointer(path) or 'the top'} there is no object to put it in")
