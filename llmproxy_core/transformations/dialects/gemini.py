"""`gemini`, counting for it, and `gemini.live`.

Keys come in camelCase or in snake_case; a single object counts for a list of one.
Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/live
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect, System
from llmproxy_core.transformations.document import dumped, put
from llmproxy_core.transformations.nodes import Node, Path

CONFIG, SNAKE_CONFIG = "generationConfig", "generation_config"
NAMES = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop_sequences": "stopSequences",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
    "choice_count": "candidateCount",
}
GIVEN = ("output", "result", "error")
"""Where a function's answer has text."""
SCHEMAS = ("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema")
CACHED = ("cachedContent", "cached_content")


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda sign: "_" + sign[0].lower(), name)


def _places(name: str) -> tuple[Path, ...]:
    found = [(config, one) for config in (CONFIG, SNAKE_CONFIG) for one in (name, snake(name))]
    return tuple(dict.fromkeys(found))


PARAMETERS = {ours: _places(theirs) for ours, theirs in NAMES.items()}


def either(holder: Node, name: str) -> Node | None:
    found = holder.get(name)
    return holder.get(snake(name)) if found is None else found


def spelled(holder: Node, name: str) -> str:
    """As the request spells it already."""
    return snake(name) if holder.get(snake(name)) is not None else name


def system_contents(holder: Node) -> list[Node]:
    """The list of parts; of a single part, or of a bare text, its string."""
    told = either(holder, "systemInstruction")
    if told is None or told.kind == "string":
        return [] if told is None else [told]
    parts = told.get("parts")
    if parts is not None and parts.kind == "object":
        return [*blocks.texts_of([parts])]
    return [] if parts is None or parts.kind != "array" else [parts]


def create_system(holder: Node, text: str) -> None:
    _not_cached(holder)
    name = spelled(holder, "systemInstruction")
    holder.put(name, dumped({"parts": [{"text": text}]}))


def _not_cached(holder: Node) -> None:
    """Raises Cannot: system prompt and tools of a cache take no others beside them."""
    if any(holder.get(key) is not None for key in CACHED):
        raise Cannot("elsewhere", "system prompt and tools are in a cache at the provider's")


def block(text: str) -> bytes:
    return dumped({"text": text})


def passages(holder: Node, role: Role) -> Iterator[Node]:
    if role == "system":
        told = either(holder, "systemInstruction")
        if told is not None and told.kind == "string":
            yield told
        elif told is not None:
            yield from blocks.texts_of(blocks.some(told.get("parts")))
        return
    for content in _contents(holder):
        speaker = blocks.role(content) or "user"
        parts = blocks.some(content.get("parts"))
        if role == "tool":
            yield from _results(parts)
        elif role == "assistant" and speaker == "model" and not blocks.signed(content):
            yield from blocks.texts_of(part for part in parts if part.get("thought") is None)
        elif role == speaker == "user":
            yield from blocks.texts_of(parts)


def _contents(holder: Node) -> list[Node]:
    live = either(holder, "clientContent")
    return blocks.some(holder.get("contents") if live is None else live.get("turns"))


def _results(parts: Sequence[Node]) -> Iterator[Node]:
    for part in parts:
        result = either(part, "functionResponse")
        given = result.get("response") if result is not None else None
        for key in GIVEN if given is not None else ():
            text = given.get(key) if given is not None else None
            if text is not None and text.kind == "string":
                yield text


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    roles = {"user": "user", "assistant": "model"}
    entries = [dumped({"role": roles[one.role], "parts": [{"text": one.text}]}) for one in messages]
    contents = holder.get("contents")
    if contents is not None and contents.kind == "object":
        contents.wrap(b"[" + b"".join(entry + b"," for entry in entries), b"]")
    else:
        blocks.insert_new(blocks.messages_of(holder, "contents"), 0, entries)


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    _not_cached(holder)
    there = holder.get("tools")
    if there is None or there.null:
        there = holder.put("tools", b"[]")
    taken = {
        name
        for entry in blocks.some(there)
        for one in blocks.some(either(entry, "functionDeclarations"))
        for name in blocks.named(one)
    }
    new = [
        {"name": one.name, "description": one.description, "parameters": one.parameters}
        for one in tools
        if one.name not in taken
    ]
    if not new:
        return
    for entry in blocks.some(there):
        listed = either(entry, "functionDeclarations")
        if listed is not None and listed.kind == "array":
            for one in new:
                listed.append(dumped(one))
            return
    if there.kind != "array":
        raise Cannot("elsewhere", "`tools` is no list")
    there.append(dumped({"functionDeclarations": new}))


def respond(holder: Node, wanted: ResponseFormat) -> None:
    config = spelled(holder, CONFIG)
    there = holder.get(config)
    if there is None or there.kind != "object":
        there = holder.put(config, b"{}")
    there.put(spelled(there, "responseMimeType"), b'"application/json"')
    kept = "" if wanted.shape is None else spelled(there, "responseJsonSchema")
    for key in SCHEMAS:
        if key != kept:
            there.remove(key)
    if kept:
        put(there, (kept,), dumped(wanted.shape))


GENERATE = Dialect(
    "gemini",
    parameters=PARAMETERS,
    system=System(system_contents, create_system, block, blocks.narrow_key),
    passages=passages,
    add_messages=add_messages,
    add_tools=add_tools,
    respond=respond,
)
ENVELOPED = replace(GENERATE, holders=(("request",),))
COUNTED = replace(GENERATE, name="gemini.count_tokens", counts=True)
COUNTED_INSIDE = replace(
    COUNTED, holders=(("generateContentRequest",), ("generate_content_request",), ("request",))
)
SETUP = replace(
    GENERATE, name="gemini.live", holders=(("setup",),), add_messages=None, respond=None
)
SAID = Dialect("gemini.live", passages=passages, partial=True)
