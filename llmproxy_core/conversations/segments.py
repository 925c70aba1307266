"""A request in the order in which providers cache it: tools, system, messages, in their blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmproxy_core.conversations.messages import unmarked
from llmproxy_core.model import mapping, text_of
from llmproxy_core.providers.parsing import dumps, parse

type Kind = Literal["tools", "system", "messages"]

MESSAGES = ("messages", "input", "contents")
SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")
MARKS = ("cache_control", "cachePoint")
PARAMETERS = (
    "tool_choice",
    "parallel_tool_calls",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "text",
    "output_config",
    "output_format",
    "context_management",
    "prompt_cache_key",
    "service_tier",
    "toolConfig.toolChoice",
    "additionalModelRequestFields",
    "cachedContent",
)
"""What takes part in a prompt cache beside what is said, with one provider or another."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`label` as in `message 3, block 1 (user)`, counted from 1; `text`: JSON without marks.

    `ttl`: seconds for which a cache mark on it asks; None: it has no mark.
    """

    kind: Kind
    label: str
    text: str
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """`partial`: the provider itself has the messages before these."""

    model: str
    segments: list[Segment]
    parameters: dict[str, str]
    partial: bool = False

    def of(self, kind: Kind) -> list[Segment]:
        return [segment for segment in self.segments if segment.kind == kind]

    @property
    def marks(self) -> list[int]:
        """The positions of the segments with a cache mark."""
        return [at for at, segment in enumerate(self.segments) if segment.ttl is not None]


def read_prompt(body: bytes, model: str | None) -> Prompt:
    """`body`: decoded. Never raises: what is no object has no segments."""
    value, _ = parse(body)
    fields = mapping(value)
    fields = mapping(fields.get("request")) or fields
    segments = [*_tools(fields), *_system(fields), *_messages(fields)]
    parameters = {name: dumps(found) for name in PARAMETERS if (found := _at(fields, name))}
    partial = bool(fields.get("previous_response_id") or fields.get("conversation"))
    return Prompt(model or text_of(fields.get("model")), segments, parameters, partial)


def _at(fields: Any, name: str) -> Any:
    for part in name.split("."):
        fields = mapping(fields).get(part)
    return fields


def _tools(fields: Any) -> Iterator[Segment]:
    tools = fields.get("tools") or _at(fields, "toolConfig.tools") or fields.get("functions")
    for number, tool in enumerate(tools if isinstance(tools, list) else (), 1):
        if _is_mark(tool):
            continue
        name = _name(tool)
        yield _segment("tools", f"tool {number}" + (f" ({name})" if name else ""), tool)


def _name(tool: Any) -> str:
    for place in ("name", "function.name", "toolSpec.name", "custom.name", "type"):
        if found := text_of(_at(tool, place)):
            return found
    return ""


def _system(fields: Any) -> Iterator[Segment]:
    for name in SYSTEM:
        for number, block in enumerate(_blocks(fields.get(name)), 1):
            yield _segment("system", f"system block {number}", block)


def _messages(fields: Any) -> Iterator[Segment]:
    found = next((fields[name] for name in MESSAGES if fields.get(name)), None)
    messages = [found] if isinstance(found, str | dict) else found
    for number, message in enumerate(messages if isinstance(messages, list) else (), 1):
        yield from _message(number, message)


def _message(number: int, message: Any) -> Iterator[Segment]:
    role = text_of(mapping(message).get("role")) or text_of(mapping(message).get("type"))
    content = mapping(message).get("content", mapping(message).get("parts"))
    blocks = list(_blocks(content)) if content else []
    rest = {
        key: value
        for key, value in mapping(message).items()
        if key not in ("content", "parts", "role", "id", "status") and value
    }
    if rest or not blocks:
        blocks.append(rest or message)
    for at, block in enumerate(blocks, 1):
        place = f"message {number}" + (f", block {at}" if len(blocks) > 1 else "")
        yield _segment("messages", place + (f" ({role})" if role else ""), block, role)


def _blocks(content: Any) -> Sequence[Any]:
    """A string is one text block. Bedrock's cache point is a mark on what is before it."""
    if not content:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, dict):
        return content["parts"] if isinstance(content.get("parts"), list) else [content]
    blocks: list[Any] = []
    for block in content if isinstance(content, list) else ():
        if _is_mark(block) and blocks:
            blocks[-1] = {**mapping(blocks[-1]), "cache_control": block["cachePoint"]}
        elif not _is_mark(block):
            blocks.append(block)
    return blocks


def _is_mark(block: Any) -> bool:
    return isinstance(block, dict) and "cachePoint" in block


def _segment(kind: Kind, label: str, value: Any, role: str = "") -> Segment:
    mark = mapping(value).get("cache_control")
    ttl = None
    if mark is not None:
        ttl = 3600 if mapping(mark).get("ttl") == "1h" else 300
    return Segment(kind, label, role + dumps(unmarked(value)), ttl)
