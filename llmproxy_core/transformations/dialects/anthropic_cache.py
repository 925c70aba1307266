"""Cache breakpoints of Anthropic: `cache_control` in a tool, or in a block.

Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
"""

from collections.abc import Iterator

from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Mark
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node

KEY = "cache_control"
WORD = b'"cache_control"'
UNMARKED = frozenset({"thinking", "redacted_thinking"})
"""Blocks that cannot have one."""


def marks(holder: Node) -> list[Mark]:
    found: list[Mark] = []
    if KEY in {item.key for item in holder.items}:  # the provider moves that one by itself
        found.append(("5m", holder, KEY))
    for node in _places(holder):
        control = node.get(KEY)
        if control is not None and not control.null:
            found.append((blocks.said(control, "ttl") or "5m", node, KEY))
    return found


def place(holder: Node, at: str | int, ttl: str | None) -> None:
    target = _target(holder, at)
    wanted = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    there = target.get(KEY)
    if there is None or there.read() != wanted:
        target.put(KEY, dumped(wanted))


def _target(holder: Node, at: str | int) -> Node:
    if at == "tools":
        tools = holder.get("tools")
        for tool in reversed(tools.elements() if tools is not None else []):
            if tool.get("defer_loading") is None:
                return tool
        raise Cannot("elsewhere", "the request has no tools that could be cached")
    if at == "system":
        return _last_block(holder.get("system"), "system prompt")
    messages = blocks.messages_of(holder).elements()
    number = int(at) + len(messages) if int(at) < 0 else int(at)
    if not 0 <= number < len(messages):
        raise Cannot("elsewhere", f"there is no message {at}")
    return _last_block(messages[number].get("content"), f"message {at}")


def _last_block(content: Node | None, what: str) -> Node:
    """A text becomes an array of one block: for the provider it is the same."""
    if content is not None and content.kind == "string" and content.said():
        content.wrap(b'[{"type":"text","text":', b"}]")
    for block in reversed(content.elements() if content is not None else []):
        if blocks.said(block, "type") not in UNMARKED and blocks.said(block, "text") != "":
            return block
    raise Cannot("elsewhere", f"the {what} has nothing that could be cached")


def _places(holder: Node) -> Iterator[Node]:
    """What may have a breakpoint, in the order of the cache."""
    for key in ("tools", "system"):
        yield from _marked(holder.get(key))
    messages = holder.get("messages")
    for message in _marked(messages):
        for block in _marked(message.get("content")):
            yield block
            yield from _marked(block.get("content"))


def _marked(node: Node | None) -> Iterator[Node]:
    for element in node.elements() if node is not None else ():
        if (
            element.fresh
            or element.text.find(WORD, element.start, element.end) >= 0
            or any(WORD in new for _, _, new in element.edits())
        ):
            yield element
