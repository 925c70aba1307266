"""Which tools the simulated model calls: those that the prompt names, with what it says.

`call Bash with {"command": "ls"}` calls that tool so, and `call #2 with {}` the second that is
offered, whatever it is called; a prompt may ask for several calls. A name in the text, or the word
"tool", is enough for a call with arguments that fit the schema.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from llmproxy_core.model import ToolCall, mapping
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Ask
from llmproxy_core.simulator.samples import sample

ANYTHING = {"type": "object"}
TOLD = re.compile(r"\bcall (\S+) with (?=\{)")


def tool_calls(ask: Ask, key: str, wanted: Controls) -> list[ToolCall]:
    """`key` is what ids are made of."""
    if not ask.tools or wanted.tool is False:
        return []
    calls = [] if ask.answers_tool else list(_told(ask, wanted.required_prefix))
    if not calls:
        calls = list(_asked(ask, wanted))
    if calls and wanted.call_name:
        calls[0] = (wanted.call_name, calls[0][1])
    return [ToolCall(_id(key, number), *call) for number, call in enumerate(calls)]


def _id(key: str, number: int) -> str:
    """Of 24 characters; what is added is no hexadecimal number, so that no two are the same."""
    return f"{key[:21]}x{number:02}" if number else key[:24]


def _asked(ask: Ask, wanted: Controls) -> Iterator[tuple[str, str]]:
    text, prefix = ask.text.lower(), wanted.required_prefix
    named = next((name for name in ask.tools if name.removeprefix(prefix).lower() in text), None)
    asked = named is not None or "tool" in text or bool(wanted.tool)
    if ask.forced_tool is None and (ask.answers_tool or not asked):
        return
    name = ask.forced_tool or named or next(iter(ask.tools))
    yield name, compact(sample(ask.tools.get(name) or ANYTHING))


def _told(ask: Ask, prefix: str) -> Iterator[tuple[str, str]]:
    """What the prompt says, up to where it cannot be read."""
    position = 0
    while found := TOLD.search(ask.text, position):
        name = _offered(found[1], ask.tools, prefix)
        text = mapping(ask.tools.get(name or "")).get("type") == "string"
        position = _end(ask.text, found.end(), text=text)
        if name is None or position < 0:
            return
        yield name, ask.text[found.end() : position]


def _offered(named: str, tools: dict[str, Any], prefix: str) -> str | None:
    if re.fullmatch(r"#\d{1,4}", named):
        return next(iter(list(tools)[int(named[1:]) - 1 :]), None)
    return next((name for name in (named, prefix + named) if name in tools), None)


def _end(prompt: str, start: int, *, text: bool) -> int:
    """Where the arguments end; -1: they do not. Some tools take any text, not JSON."""
    if text:
        return prompt.rfind("}", start) + 1 or -1
    try:
        _, end = json.JSONDecoder().raw_decode(prompt, start)
    except (ValueError, RecursionError):
        return -1
    return end
