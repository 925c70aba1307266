"""`openai.realtime`: frames that configure a session or ask for a response, and items.

A frame without instructions keeps those of before, so none are made in it.
Source: https://platform.openai.com/docs/api-reference/realtime-client-events
"""

from collections.abc import Iterator, Sequence

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import NewTool
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect, System
from llmproxy_core.transformations.dialects.openai_responses import block
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node, Path

PARAMETERS: dict[str, tuple[Path, ...]] = {
    "max_tokens": (("max_output_tokens",), ("max_response_output_tokens",)),
    "temperature": (("temperature",),),
}


def system_contents(holder: Node) -> list[Node]:
    told = holder.get("instructions")
    return [told] if told is not None and told.kind == "string" else []


def create_system(holder: Node, text: str) -> None:
    holder.put("instructions", dumped(text))


def passages(holder: Node, role: Role) -> Iterator[Node]:
    if role == "system":
        yield from system_contents(holder)
    elif blocks.said(holder, "type") == "function_call_output":
        if role == "tool" and (output := holder.get("output")) is not None:
            yield from blocks.texts(output)
    elif blocks.role(holder) == role:
        yield from blocks.texts(holder.get("content"))


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    """Only to a frame that offers some: another one leaves the session's as they are."""
    if holder.get("tools") is not None:
        blocks.add_to_list(holder, "tools", blocks.flat_functions(tools))


REALTIME = Dialect(
    "openai.realtime",
    holders=(("session",), ("response",), ("item",)),
    parameters=PARAMETERS,
    system=System(system_contents, create_system, block, blocks.narrow_key),
    partial=True,
    passages=passages,
    add_tools=add_tools,
)
