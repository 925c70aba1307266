"""`openai.chat` and its dialects.

Source: https://platform.openai.com/docs/api-reference/chat
"""

import re
from collections.abc import Iterator, Sequence

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect, System, flat
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node, Path

REASONING = re.compile(r"(?:openai/)?(?:o\d|gpt-5)")
"""Models that refuse `max_tokens`."""
ROLES: dict[Role, frozenset[str]] = {
    "system": blocks.PRELUDE,
    "user": frozenset({"user"}),
    "assistant": frozenset({"assistant"}),
    "tool": frozenset({"tool", "function"}),
}
PARAMETERS: dict[str, tuple[Path, ...]] = {
    **flat("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"),
    **flat("reasoning_effort", stop_sequences="stop", choice_count="n"),
    "max_tokens": (("max_tokens",), ("max_completion_tokens",)),
}


def system_contents(holder: Node) -> list[Node]:
    messages = holder.get("messages")
    lead = blocks.leading(messages) if messages is not None else []
    return [one for message in lead for one in blocks.present(message.get("content"))]


def create_system(holder: Node, text: str) -> None:
    messages = blocks.messages_of(holder)
    speakers = {blocks.role(message) for message in messages.elements(0, 8)}
    role = "developer" if "developer" in speakers else "system"
    messages.insert(0, dumped({"role": role, "content": text}))


def block(text: str) -> bytes:
    return dumped({"type": "text", "text": text})


def narrow(holder: Node) -> None:
    blocks.narrow_list(blocks.messages_of(holder), 1)


def passages(holder: Node, role: Role) -> Iterator[Node]:
    messages = holder.get("messages")
    for message in messages.elements() if messages is not None else ():
        if blocks.role(message) not in ROLES[role]:
            continue
        if role != "assistant" or not blocks.signed(message):
            yield from blocks.texts(message.get("content"))


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    there = blocks.messages_of(holder)
    after = len(blocks.leading(there))
    blocks.insert_new(there, after, blocks.plain_messages(messages))


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    blocks.add_to_list(holder, "tools", blocks.functions(tools))


def respond(holder: Node, wanted: ResponseFormat) -> None:
    said: dict[str, object] = {"type": wanted.type}
    if wanted.type == "json_schema":
        inner = {"name": wanted.name, "strict": wanted.strict, "schema": wanted.shape}
        said["json_schema"] = inner
    holder.put("response_format", dumped(said))


def prefers(holder: Node, name: str) -> Path | None:
    model = blocks.said(holder, "model") or ""
    return ("max_completion_tokens",) if name == "max_tokens" and REASONING.match(model) else None


SYSTEM = System(system_contents, create_system, block, narrow)
CHAT = Dialect(
    "openai.chat",
    parameters=PARAMETERS,
    prefers=prefers,
    system=SYSTEM,
    passages=passages,
    add_messages=add_messages,
    add_tools=add_tools,
    respond=respond,
)
