"""What an edit of a request changes, by the places of its JSON, for people to read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from llmproxy_core.model import Headers
from llmproxy_core.providers.parsing import dumps, parse
from llmproxy_core.transformations.applying import Applied
from llmproxy_core.transformations.document import pointer
from llmproxy_core.transformations.nodes import Path

AROUND = 40
"""Characters of a text that are shown on both sides of what changes in it."""
DEEPEST = 200
PAIRS = 1_000_000
"""Lists of more pairs of entries are not aligned, which takes time by their number."""


@dataclass(frozen=True, slots=True)
class Change:
    """`place`: a JSON pointer, `path`, or `header NAME`. `before` and `after`: JSON texts, exact and
    whole; None: it is not there."""

    place: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def lines(self) -> list[str]:
        """As in a unified diff, long texts cut around what changes."""
        said = [f"@ {self.place}"]
        before, after = self.before, self.after
        if before is not None and after is not None:
            before, after = _around(before, after)
        said += [f"- {before}"] if before is not None else []
        return said + ([f"+ {after}"] if after is not None else [])


def diff(before: bytes, after: bytes) -> list[Change]:
    """Of two bodies, in the order of the first. What is no JSON counts as one text."""
    if before == after:
        return []
    one, wrong = parse(before)
    other, also = parse(after)
    if wrong is not None or also is not None:
        return [Change("", _text(before), _text(after))]
    try:
        return [*_values(one, other, ())]
    except RecursionError:
        return [Change("", _text(before), _text(after))]


def changes(path: str, headers: Headers, body: bytes, made: Applied) -> list[Change]:
    """Of a request with these: path and headers, too."""
    found = [] if path == made.path else [Change("path", path, made.path)]
    was, now = _joined(headers), _joined(made.headers)
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) != now.get(name):
            found.append(Change(f"header {name}", was.get(name), now.get(name)))
    return found + diff(body, made.body)


def shown(found: Sequence[Change]) -> str:
    return "\n".join(line for one in found for line in one.lines())


def _values(one: Any, other: Any, path: Path) -> Iterator[Change]:
    if _same(one, other):
        return
    if isinstance(one, dict) and isinstance(other, dict) and len(path) < DEEPEST:
        yield from _objects(one, other, path)
    elif isinstance(one, list) and isinstance(other, list) and len(path) < DEEPEST:
        yield from _lists(one, other, path)
    else:
        yield Change(pointer(path), dumps(one), dumps(other))


def _objects(one: Mapping[str, Any], other: Mapping[str, Any], path: Path) -> Iterator[Change]:
    for key, value in one.items():
        if key in other:
            yield from _values(value, other[key], (*path, key))
        else:
            yield Change(pointer((*path, key)), dumps(value), None)
    for key, value in other.items():
        if key not in one:
            yield Change(pointer((*path, key)), None, dumps(value))


def _lists(one: Sequence[Any], other: Sequence[Any], path: Path) -> Iterator[Change]:
    """What both begin and end with stays; in between entries go, come, or change place by place.
    Numbers of what goes are those of before, of what comes those of after."""
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    old, new = one[start : len(one) - end], other[start : len(other) - end]
    if len(old) == len(new):
        for number, (was, now) in enumerate(zip(old, new, strict=True), start):
            yield from _values(was, now, (*path, number))
        return
    for was_from, was_to, now_from, now_to in _replaced(old, new):
        for number in range(was_from, was_to):
            yield Change(pointer((*path, start + number)), dumps(old[number]), None)
        for number in range(now_from, now_to):
            yield Change(pointer((*path, start + number)), None, dumps(new[number]))


def _replaced(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int, int, int, int]]:
    """Which entries are not the same in the same order, from and to in both. Of long lists: all."""
    if len(old) * len(new) > PAIRS:
        yield 0, len(old), 0, len(new)
        return
    matcher = SequenceMatcher(None, [*map(_spelled, old)], [*map(_spelled, new)], autojunk=False)
    for kind, *places in matcher.get_opcodes():
        if kind != "equal":
            was_from, was_to, now_from, now_to = places
            yield was_from, was_to, now_from, now_to


def _spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _alike(one: Sequence[Any], other: Sequence[Any]) -> int:
    number = 0
    for left, right in zip(one, other, strict=False):
        if not _same(left, right):
            break
        number += 1
    return number


def _same(one: Any, other: Any) -> bool:
    """As JSON: for Python 1, 1.0 and True are equal."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _around(before: str, after: str) -> tuple[str, str]:
    shortest = min(len(before), len(after))
    start = _alike(before, after)
    end = min(_alike(before[::-1], after[::-1]), shortest - start)
    return _cut(before, start, end), _cut(after, start, end)


def _cut(text: str, start: int, end: int) -> str:
    first, last = max(0, start - AROUND), min(len(text), len(text) - end + AROUND)
    return ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")


def _joined(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
