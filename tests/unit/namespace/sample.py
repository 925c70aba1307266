"""Small bodies of a format in which every place of a name is marked."""

import json
from typing import Any, NamedTuple

from tests.unit.namespace.oracle import Path, parsed

PREFIX = "pay__"


class T(str):
    """A name that is to be found; the same name as a plain string is not."""


class Sample(NamedTuple):
    """In requests stand the client's names, in answers those that were sent."""

    requests: list[Any]
    answers: list[Any]


def sent(name: str) -> T:
    return T(PREFIX + name)


def marked(value: Any, path: Path = ()) -> set[Path]:
    """Where the marked names of a body stand."""
    if isinstance(value, T):
        return {path}
    if isinstance(value, list):
        value = dict(enumerate(value))
    members = value.items() if isinstance(value, dict) else ()
    return {found for key, one in members for found in marked(one, (*path, key))}


def as_text(value: Any) -> Any:
    """The body as it comes off the wire."""
    return parsed(json.dumps(value))


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "enum": ["weather"]}, "weather": {"name": "weather"}},
    "required": ["name"],
}
"""Of arguments in which the words of names occur, too."""
ARGUMENTS = {"name": "weather", "tool": {"name": "weather"}, "tools": [{"name": "weather"}]}
MADE = {"name": "pay__weather", "tool_name": "pay__weather", "functionCall": {"name": "pay__x"}}
"""Arguments that a model has written."""
