"""How a system prompt or a tool set is read: what makes a version of it, and what tells its pattern.

Lines make versions: each change of one is a change. Which pattern a text is of is told by what it
*says*: of a tool its name, its parameters and what is written of them, for the words of JSON schemas
are the same in all tools.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from llmproxy_core.model import mapping
from llmproxy_core.patterns.documents import heads, lasting, system_lines

NAMED = 8
"""Times that a tool's name counts: as much as a sentence of ten words."""
MOST_PARTS = 20
MOST_WORDS = 12
"""Of one tool and of each part that are compared: a tool of many words counts like the others."""
TEXTS = ("description", "title")
NAMES = ("name", "type")
"""What a tool is called; hosted ones have a type only."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`lines`: of a text, those that tell versions apart; `heads`: each as what it begins with and
    a rest that may vary; `says`: of the lines, what is compared to find the pattern; `similar`: from
    which Jaccard similarity of that on it is found; `opens`: does the first line say who it is?"""

    lines: Callable[[str], Sequence[str]]
    heads: Callable[[Sequence[str]], Iterator[tuple[str, str]]]
    says: Callable[[Sequence[str]], Sequence[str]]
    similar: float
    opens: bool


def tool_set_lines(text: str) -> list[str]:
    """Of `documents.tool_lines`, without what passes."""
    return [lasting(line.replace("\\n", "  ")) for line in text.split("\n") if line.strip()]


def tools_say(lines: Sequence[str]) -> list[str]:
    """Runs of words: the names of tools and of their parameters, and what is written of both."""
    return [said for line in lines for said in _said(line)]


def _said(line: str) -> Iterator[str]:
    name, _, text = line.partition(" {")
    try:
        tool = orjson.loads("{" + text)
    except orjson.JSONDecodeError:
        yield line
        return
    called = name or next((str(tool[key]) for key in NAMES if key in tool), "")
    yield from (f"tool {called} {n}" for n in range(NAMED))
    for part in islice(_parts(called, tool), MOST_PARTS):
        yield " ".join(part.split(maxsplit=MOST_WORDS)[:MOST_WORDS])


def _parts(tool: str, value: Any) -> Iterator[str]:
    """What is written in a tool, and the names of its parameters."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
            continue
        fields = mapping(one)
        yield from (text for key in TEXTS if isinstance(text := fields.get(key), str))
        yield from _choices(fields)
        yield from (f"{tool} takes {name}" for name in _names(fields))
        waiting += [inner for inner in fields.values() if isinstance(inner, dict | list)]


def _names(fields: Mapping[str, Any]) -> Iterator[str]:
    """Of parameters."""
    properties = fields.get("properties")
    if isinstance(properties, dict):
        yield from properties


def _choices(fields: Mapping[str, Any]) -> Iterator[str]:
    choices = fields.get("enum")
    if isinstance(choices, list):
        yield " ".join(str(one) for one in choices)


def _whole(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((line, "") for line in lines)


SYSTEM = Reading(system_lines, heads, list, similar=0.5, opens=True)
TOOLS = Reading(tool_set_lines, _whole, tools_say, similar=0.45, opens=False)
READINGS = {"system": SYSTEM, "tools": TOOLS}
