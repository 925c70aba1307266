"""Finds names of tools along a grammar, over parsed JSON: plain and slow, to hold walkers against."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llmproxy_core.namespace.grammar import KEYS, Name, Node, Places, Text
from llmproxy_core.namespace.places.formats import WORDS

type Path = tuple[str | int, ...]
type Leaf = tuple[int, str]
"""A `Name` of a grammar: the dict that holds it, and under which key."""
type Facts = dict[str, str]


class Members(list[tuple[str, Any]]):
    """An object with its keys in order, also those that come twice."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A string where the grammar has a `Name`."""

    path: Path
    name: str
    place: Name
    leaf: Leaf
    holds: bool


def parsed(text: str | bytes) -> Any:
    """JSON with `Members` for objects."""
    return json.loads(text, object_pairs_hook=Members)


def seen(value: Any, grammar: Node) -> list[Seen]:
    """All of a text, in order."""
    return list(_value(value, grammar, (), ({}, {}), (0, "")))


def of_clients(value: Any, places: Places) -> list[Seen]:
    """What is rewritten in a request."""
    found = seen(value, places.request)
    clients = {one.name for one in found if one.place.declares and one.holds}
    owned = {one.name for one in found if one.place.declares and not one.holds}
    apart = (owned | {name.decode() for name in places.own}) - clients
    known = clients - {word.decode() for word in WORDS}
    return [
        one
        for one in found
        if one.holds and one.name not in apart and (one.name in known or not one.place.known)
    ]


def of_answer(value: Any, places: Places, prefix: str) -> list[Seen]:
    """What is rewritten in an answer, an event, a line or a frame, where nothing was shortened."""
    found = seen(value, places.answer)
    return [one for one in found if one.holds and one.name.startswith(prefix)]


def leaves(node: Node) -> set[Leaf]:
    """All places of a grammar."""
    found: set[Leaf] = set()
    dicts: set[int] = set()

    def visit(node: Node, leaf: Leaf) -> None:
        if isinstance(node, Name | Text):
            found.add(leaf)
        elif isinstance(node, dict):
            if id(node) not in dicts:
                dicts.add(id(node))
                for key, inner in node.items():
                    visit(inner, (id(node), key))
        else:
            for inner in node:
                visit(inner, leaf)

    visit(node, (0, ""))
    return found


def _value(
    value: Any, node: Node, path: Path, around: tuple[Facts, Facts], leaf: Leaf
) -> Iterator[Seen]:
    for one in node if isinstance(node, tuple) else (node,):
        if isinstance(one, Name) and isinstance(value, str):
            yield Seen(path, value, one, leaf, _holds(one, around))
        elif isinstance(one, dict) and isinstance(value, Members):
            facts = {key: v for key, v in value if key in KEYS and isinstance(v, str)}
            for key, inner in value:
                if key in one:
                    within = (facts, around[0])
                    yield from _value(inner, one[key], (*path, key), within, (id(one), key))
        elif isinstance(one, list) and isinstance(value, list) and not isinstance(value, Members):
            for index, inner in enumerate(value):
                yield from _value(inner, one[0], (*path, index), around, leaf)


def _holds(place: Name, around: tuple[Facts, Facts]) -> bool:
    facts = around[place.level]
    return place.unless not in facts and place.holds(facts.get(place.key))
