"""`anthropic.messages`, counting for it, batches of it, and the same at Bedrock and Vertex.

Source: https://docs.anthropic.com/en/api/messages
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.dialects import anthropic_cache, blocks
from llmproxy_core.transformations.dialects.dialect import Caching, Dialect, System, flat
from llmproxy_core.transformations.document import dumped, put
from llmproxy_core.transformations.nodes import Node, Path

PARAMETERS: dict[str, tuple[Path, ...]] = {
    **flat("max_tokens", "temperature", "top_p", "top_k", "stop_sequences"),
    "reasoning_effort": (("output_config", "effort"),),
}


def system_contents(holder: Node) -> list[Node]:
    return blocks.present(holder.get("system"))


def create_system(holder: Node, text: str) -> None:
    holder.put("system", dumped(text))


def block(text: str) -> bytes:
    return dumped({"type": "text", "text": text})


def passages(holder: Node, role: Role) -> Iterator[Node]:
    return blocks.passages(holder, role, results)


def results(content: Node) -> Iterator[Node]:
    for result in content.elements():
        if blocks.said(result, "type") == "tool_result":
            yield from blocks.texts(result.get("content"))


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    blocks.insert_new(blocks.messages_of(holder), 0, blocks.plain_messages(messages))


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    entries = [
        {"name": one.name, "description": one.description, "input_schema": one.parameters}
        for one in tools
    ]
    blocks.add_to_list(holder, "tools", [(str(one["name"]), dumped(one)) for one in entries])


def respond(holder: Node, wanted: ResponseFormat) -> None:
    """`output_format` is what the beta called it; both at once are refused."""
    said = dumped({"type": "json_schema", "schema": wanted.shape})
    if holder.get("output_format") is not None:
        holder.put("output_format", said)
    else:
        put(holder, ("output_config", "format"), said)


SYSTEM = System(system_contents, create_system, block, blocks.narrow_key)
CACHING = Caching(anthropic_cache.marks, anthropic_cache.place)
MESSAGES = Dialect(
    "anthropic.messages",
    parameters=PARAMETERS,
    system=SYSTEM,
    passages=passages,
    add_messages=add_messages,
    add_tools=add_tools,
    respond=respond,
    schemas_only=True,
    caching=CACHING,
)
COUNTED = replace(MESSAGES, name="anthropic.count_tokens", counts=True)
BATCHES = replace(MESSAGES, name="anthropic.batches", holders=(("requests", "*", "params"),))
