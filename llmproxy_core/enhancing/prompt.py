"""What a request says that begins a conversation: its prompt and its instructions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmproxy_core.model import Json, mapping, text_of
from llmproxy_core.namespace.opening import ANSWERS, ENTRIES
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.patterns.structure import prompts_of
from llmproxy_core.providers.formats import format_of, read_request
from llmproxy_core.providers.frames import FRAMED, client_line
from llmproxy_core.providers.parsing import parse

TOOLS = frozenset({"tools", "functions", "toolConfig", "tool_config"})
LONGEST = 2**20
"""Bytes of a field that is read."""
MOST = 64
"""Turns among which the first prompt is looked for."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """`user`: the newest text of the user; `system`: all instructions."""

    user: str = ""
    system: str = ""


def prompt(wire: str, path: str, fields: Fields, body: bytes) -> Prompt:
    """`fields`: of the `body`. Raises nothing."""
    if wire in FRAMED:
        if len(body) > LONGEST:
            return Prompt()
        return Prompt(*prompts_of(wire, read_request(wire, path, [], client_line(body))[0]))
    return _read(wire, path, _values(fields))


def first_prompt(wire: str, path: str, fields: Fields) -> Prompt:
    """Of a request that repeats a whole conversation: how it began."""
    places = PLACES.get(wire)
    turns = fields.get(places.turns) if places is not None else None
    if places is None or turns is None:
        return Prompt()
    try:
        entries = ENTRIES.decode(turns)[:MOST]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Prompt()
    before: list[Json] = []
    for entry in entries:
        value, _ = parse(bytes(entry))
        if text_of(mapping(value).get("role")) in ANSWERS:
            break
        before.append(value)
    rest = {name: raw for name, raw in fields.items() if name != places.turns}
    return _read(wire, path, {**_values(rest), places.turns: before})


def _read(wire: str, path: str, values: Mapping[str, Any]) -> Prompt:
    return Prompt(*prompts_of(wire, format_of(wire).request(dict(values), path)))


def _values(fields: Fields) -> dict[str, Any]:
    """Without tools, which are most of what many requests say."""
    return {
        name: parse(bytes(raw))[0]
        for name, raw in fields.items()
        if name not in TOOLS and len(memoryview(raw)) <= LONGEST
    }
