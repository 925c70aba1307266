"""`bedrock.converse`, counting for it, and `bedrock.invoke` in the words of Nova.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html,
https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool, ResponseFormat
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Caching, Dialect, Mark, System
from llmproxy_core.transformations.document import dumped, put
from llmproxy_core.transformations.nodes import Node, Path

POINT = "cachePoint"
WORD = b'"cachePoint"'
CONFIG = "inferenceConfig"
PARAMETERS: dict[str, tuple[Path, ...]] = {
    "max_tokens": ((CONFIG, "maxTokens"),),
    "temperature": ((CONFIG, "temperature"),),
    "top_p": ((CONFIG, "topP"),),
    "stop_sequences": ((CONFIG, "stopSequences"),),
}
NOVA: dict[str, tuple[Path, ...]] = {
    **PARAMETERS,
    "max_tokens": ((CONFIG, "maxTokens"), (CONFIG, "max_new_tokens")),
    "top_p": ((CONFIG, "topP"), (CONFIG, "top_p")),
    "top_k": ((CONFIG, "topK"), (CONFIG, "top_k")),
}


def system_contents(holder: Node) -> list[Node]:
    return blocks.present(holder.get("system"))


def create_system(holder: Node, text: str) -> None:
    holder.put("system", dumped([{"text": text}]))


def block(text: str) -> bytes:
    return dumped({"text": text})


def passages(holder: Node, role: Role) -> Iterator[Node]:
    return blocks.passages(holder, role, results)


def results(content: Node) -> Iterator[Node]:
    for one in content.elements():
        if (result := one.get("toolResult")) is not None:
            yield from blocks.texts(result.get("content"))


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    entries = [dumped({"role": one.role, "content": [{"text": one.text}]}) for one in messages]
    blocks.insert_new(blocks.messages_of(holder), 0, entries)


def add_tools(holder: Node, tools: Sequence[NewTool]) -> None:
    config = holder.get("toolConfig")
    if config is None or config.null:
        config = holder.put("toolConfig", b"{}")
    entries = [(one.name, dumped({"toolSpec": _spec(one)})) for one in tools]
    blocks.add_to_list(config, "tools", entries)


def _spec(tool: NewTool) -> dict[str, object]:
    said: dict[str, object] = {"name": tool.name}
    if tool.description:  # an empty one is refused
        said["description"] = tool.description
    return {**said, "inputSchema": {"json": tool.parameters}}


def respond(holder: Node, wanted: ResponseFormat) -> None:
    schema = {"schema": orjson.dumps(wanted.shape).decode(), "name": wanted.name}
    said = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    put(holder, ("outputConfig", "textFormat"), dumped(said))


def marks(holder: Node) -> list[Mark]:
    found: list[Mark] = []
    for owner in _owners(holder):
        for element in owner.elements():
            point = element.get(POINT)
            if point is not None:
                found.append((blocks.said(point, "ttl") or "5m", owner, ""))
    return found


def unmark(owner: Node) -> None:
    told = enumerate(owner.elements())
    owner.remove_all({number for number, element in told if element.get(POINT) is not None})


def place(holder: Node, at: str | int, ttl: str | None) -> None:
    owner = _owner(holder, at)
    wanted = {POINT: {"type": "default"} | ({"ttl": ttl} if ttl else {})}
    elements = owner.elements()
    if elements and elements[-1].get(POINT) is not None:
        if elements[-1].read() != wanted:
            elements[-1].replace(dumped(wanted))
    else:
        owner.append(dumped(wanted))


def _owner(holder: Node, at: str | int) -> Node:
    if at in ("tools", "system"):
        outer = holder.get("toolConfig") if at == "tools" else holder
        owner = outer.get(str(at)) if outer is not None else None
    else:
        messages = blocks.messages_of(holder).elements()
        number = int(at) + len(messages) if int(at) < 0 else int(at)
        owner = messages[number].get("content") if 0 <= number < len(messages) else None
    if owner is None or not owner.elements():
        what = f"no {at}" if isinstance(at, str) else f"no message {at}"
        raise Cannot("elsewhere", f"the request has {what} that could be cached")
    return owner


def _owners(holder: Node) -> Iterator[Node]:
    """The arrays that may have breakpoints, in the order of the cache."""
    tools = holder.get("toolConfig")
    messages = holder.get("messages")
    found = [tools.get("tools") if tools is not None else None, holder.get("system")]
    for one in found:
        if one is not None and WORD in one.raw():
            yield one
    for message in messages.elements() if messages is not None else ():
        content = message.get("content") if WORD in message.raw() else None
        if content is not None:
            yield content


CONVERSE = Dialect(
    "bedrock.converse",
    parameters=PARAMETERS,
    system=System(system_contents, create_system, block, blocks.narrow_key),
    passages=passages,
    add_messages=add_messages,
    add_tools=add_tools,
    respond=respond,
    schemas_only=True,
    caching=Caching(marks, place),
)
COUNTED = replace(CONVERSE, holders=(("input", "converse"),), counts=True)
INVOKED = replace(CONVERSE, name="bedrock.invoke", parameters=NOVA, respond=None)
