"""`openai.responses`, also over a WebSocket.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect, System, flat
from llmproxy_core.transformations.document import dumped, put
from llmproxy_core.transformations.nodes import Node, Path

OFFERS = "additional_tools"
OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
AT_PROVIDER = ("previous_response_id", "conversation", "prompt")
"""Keys of a request that goes on with what is at the provider's."""
PARAMETERS: dict[str, tuple[Path, ...]] = {
    **flat("temperature", "top_p", max_tokens="max_output_tokens"),
    "reasoning_effort": (("reasoning", "effort"),),
}


def items(holder: Node) -> list[Node]:
    said = holder.get("input")
    return [] if said is None else said.elements()


def leading(holder: Node) -> tuple[int, list[Node]]:
    """How many items come before the conversation, and those of them that have text."""
    found, number = [], 0
    said = holder.get("input")
    for item in said.each() if said is not None else ():
        if blocks.role(item) in blocks.PRELUDE and blocks.said(item, "type") in (None, "message"):
            found.append(item)
        elif blocks.said(item, "type") != OFFERS:
            break
        number += 1
    return number, found


def system_contents(holder: Node) -> list[Node]:
    told = blocks.present(holder.get("instructions"))
    if told and told[0].kind == "string":
        return told
    return [one for item in leading(holder)[1] for one in blocks.present(item.get("content"))]


def create_system(holder: Node, text: str) -> None:
    holder.put("instructions", dumped(text))


def block(text: str) -> bytes:
    return dumped({"type": "input_text", "text": text})


def narrow(holder: Node) -> None:
    """One message of the system stays, or none beside instructions."""
    said = holder.get("input")
    told = holder.get("instructions")
    keep = 0 if told is not None and told.kind == "string" else 1
    if said is None or said.kind != "array":
        return
    lead = {id(item) for item in leading(holder)[1][keep:]}
    there = enumerate(said.elements())
    said.remove_all({number for number, item in there if id(item) in lead})


def passages(holder: Node, role: Role) -> Iterator[Node]:
    if role == "system":
        yield from _strings(holder.get("instructions"))
    said = holder.get("input")
    if said is not None and role == "user":
        yield from _strings(said)
    for group in _turns(items(holder)):
        if role == "assistant" and any(map(blocks.signed, group)):
            continue
        for item in group:
            if _role(item) == role:
                yield from blocks.texts(item.get("output" if role == "tool" else "content"))


def _strings(node: Node | None) -> Iterator[Node]:
    if node is not None and node.kind == "string":
        yield node


def _role(item: Node) -> str:
    kind = blocks.said(item, "type")
    if kind in OUTPUTS:
        return "tool"
    role = blocks.role(item) if kind in (None, "message") else ""
    return "system" if role in blocks.PRELUDE else role


def _turns(items: Sequence[Node]) -> Iterator[list[Node]]:
    """What a model said in one go, reasoning and all; what others said, one by one."""
    group: list[Node] = []
    for item in items:
        if _role(item) in ("user", "system", "tool"):
            yield group
            yield [item]
            group = []
        else:
            group.append(item)
    yield group


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    if any((there := holder.get(key)) is not None and not there.null for key in AT_PROVIDER):
        raise Cannot("elsewhere", "the beginning of the conversation is at the provider's")
    said = holder.get("input")
    entries = blocks.plain_messages(messages)
    if said is not None and said.kind == "string":
        before = b"[" + b",".join(entries) + b',{"role":"user","content":'
        said.wrap(before, b"}]")
    elif said is not None and said.kind == "array":
        blocks.insert_new(said, leading(holder)[0], entries)
    else:
        raise Cannot("elsewhere", "the request has no `input`")


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    blocks.add_to_list(holder, "tools", blocks.flat_functions(tools))


def respond(holder: Node, wanted: ResponseFormat) -> None:
    said: dict[str, object] = {"type": wanted.type}
    if wanted.type == "json_schema":
        said |= {"name": wanted.name, "strict": wanted.strict, "schema": wanted.shape}
    put(holder, ("text", "format"), dumped(said))


SYSTEM = System(system_contents, create_system, block, narrow)
RESPONSES = Dialect(
    "openai.responses",
    parameters=PARAMETERS,
    system=SYSTEM,
    passages=passages,
    add_messages=add_messages,
    add_tools=add_tools,
    respond=respond,
)
COUNTED = replace(RESPONSES, name="openai.responses.input_tokens", counts=True)
FRAME = replace(RESPONSES, name="openai.responses.websocket")
NESTED_FRAME = replace(FRAME, holders=(("response",),))
