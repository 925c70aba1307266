"""A request as its provider caches it: blocks in the provider's order, and the marks behind them.

Tools come first, then the system prompt, then what was said. Sources: docs.anthropic.com "Prompt
caching", platform.openai.com "Prompt caching" (a schema of the answer comes before all),
ai.google.dev "Context caching" (implicit), docs.aws.amazon.com/bedrock "Prompt caching".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from llmproxy_core.model import mapping
from llmproxy_core.simulator.compact import compact

SHORT, LONG = 300.0, 3600.0
"""Seconds that a mark keeps what is before it, from its last use."""


class Block(NamedTuple):
    """`text`: as the provider reads it, without marks. `mark`: seconds; 0: there is none."""

    text: str
    mark: float = 0.0


@dataclass(slots=True)
class Prompt:
    """`kind`: cached up to marks, by itself in steps, or not at all. `scope`: another one has a
    cache of its own. `after`: the answer that it goes on from, which the provider keeps."""

    kind: Literal["marked", "steps", "none"]
    head: list[Block] = field(default_factory=list)
    said: list[Block] = field(default_factory=list)
    scope: str = ""
    after: str = ""


def anthropic(body: Mapping[str, Any]) -> Prompt:
    """What is cached of messages depends on how to think and which tool to call, too."""
    system = body.get("system")
    head = [_block(tool) for tool in _list(body.get("tools"))]
    head += [_block(one, "system") for one in _list(system)]
    how = [body.get("tool_choice"), body.get("thinking")]
    said = [Block(compact(how))] if any(how) else []
    for message in map(mapping, _list(body.get("messages"))):
        said += [_block(one, str(message.get("role"))) for one in _list(message.get("content"))]
    if (whole := _seconds(body.get("cache_control"))) and said:
        said[-1] = said[-1]._replace(mark=whole)  # behind the last block that can be cached
    return Prompt("marked", head, said)


def converse(body: Mapping[str, Any]) -> Prompt:
    """Marks are blocks of their own: `cachePoint`."""
    head = [*_pointed(mapping(body.get("toolConfig")).get("tools"), "tool")]
    head += _pointed(body.get("system"), "system")
    said: list[Block] = []
    for message in map(mapping, _list(body.get("messages"))):
        said += _pointed(message.get("content"), str(message.get("role")))
    return Prompt("marked", head, said)


def chat(body: Mapping[str, Any]) -> Prompt:
    head = _texts(body.get("response_format"), body.get("functions"), body.get("tools"))
    scope = str(body.get("prompt_cache_key") or "")
    return Prompt("steps", head, _texts(body.get("messages")), scope)


def responses(body: Mapping[str, Any]) -> Prompt:
    head = _texts(mapping(body.get("text")).get("format"), body.get("tools"))
    head += _texts(body.get("instructions"))
    scope = str(body.get("prompt_cache_key") or "")
    after = str(body.get("previous_response_id") or "")
    return Prompt("steps", head, _texts(body.get("input")), scope, after)


def gemini(body: Mapping[str, Any]) -> Prompt:
    system = body.get("systemInstruction") or body.get("system_instruction")
    return Prompt("steps", _texts(body.get("tools"), system), _texts(body.get("contents")))


def _texts(*values: Any) -> list[Block]:
    return [Block(compact(one)) for value in values for one in _list(value)]


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _block(value: Any, role: str = "") -> Block:
    """A text alone is the same as a block of text."""
    if isinstance(value, str):
        value = {"type": "text", "text": value}
    return Block(role + compact(_plain(value)), max([0.0, *_marks(value)]))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key != "cache_control"}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _marks(value: Any) -> Iterator[float]:
    """Of a block, or of one in its content."""
    block = mapping(value)
    yield _seconds(block.get("cache_control"))
    for inner in _list(block.get("content")):
        yield from _marks(inner)


def _pointed(value: Any, role: str) -> list[Block]:
    blocks: list[Block] = []
    for one in _list(value):
        point = mapping(mapping(one).get("cachePoint"))
        if not point:
            blocks.append(Block(role + compact(one)))
        elif blocks:
            blocks[-1] = blocks[-1]._replace(mark=_seconds(point))
    return blocks


def _seconds(mark: Any) -> float:
    if not mapping(mark):
        return 0.0
    return LONG if mapping(mark).get("ttl") == "1h" else SHORT
