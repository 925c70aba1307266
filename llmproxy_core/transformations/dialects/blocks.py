"""Messages and their contents, as several formats have them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from llmproxy_core.namespace.opening import ROLE
from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, NewTool
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node

SIGNED = (
    *(b'ignature"', b'"encrypted_content"', b'"redacted_thinking"', b'"redactedContent"'),
    *(b'"reasoning_details"', b'"thinking_blocks"'),
)
"""How it is told that a provider has signed, or sealed, what its model said."""
ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
"""No encoder writes letters this way: a signature may hide behind it."""
PRELUDE = frozenset({"system", "developer"})
TEXTS = frozenset({None, "text", "input_text", "output_text"})


def role(message: Node) -> str:
    """Mostly it comes first; then the rest of a message need not be read."""
    if first := message.begins(ROLE):
        return first[1].decode()
    return said(message, "role") or ""


def said(node: Node, key: str) -> str | None:
    found = node.get(key)
    return None if found is None else found.said()


def signed(node: Node) -> bool:
    """Is there something in it that a provider has signed, or may have?"""
    text, start, end = node.text, node.start, node.end
    if any(text.find(mark, start, end) >= 0 for mark in SIGNED):
        return True
    return ESCAPED_LETTER.search(text, start, end) is not None


def some(node: Node | None) -> list[Node]:
    """The elements of a list, or a single object as one (Google takes it so)."""
    if node is None:
        return []
    return [node] if node.kind == "object" else node.elements()


def present(node: Node | None) -> list[Node]:
    """A text that is there: a string, or an array of blocks."""
    return [node] if node is not None and node.kind in ("string", "array") else []


def leading(messages: Node) -> list[Node]:
    """The messages of the system before the conversation."""
    found = []
    for message in messages.each():
        if role(message) not in PRELUDE:
            break
        found.append(message)
    return found


def texts(content: Node | None) -> Iterator[Node]:
    """The strings of a content: itself, or the text of its blocks."""
    if content is None:
        return
    if content.kind == "string":
        yield content
    yield from texts_of(content.elements())


def texts_of(found: Iterable[Node]) -> Iterator[Node]:
    for block in found:
        text = block.get("text")
        if text is not None and text.kind == "string" and said(block, "type") in TEXTS:
            yield text


def passages(
    holder: Node, asked: Role, results: Callable[[Node], Iterator[Node]]
) -> Iterator[Node]:
    """Texts of who speaks, where results of tools stand in what the user says: `results` finds
    them in a content."""
    if asked == "system":
        yield from texts(holder.get("system"))
        return
    messages = holder.get("messages")
    speaker = "assistant" if asked == "assistant" else "user"
    for message in messages.elements() if messages is not None else ():
        content = message.get("content")
        if role(message) != speaker or content is None:
            continue
        if asked == "tool":
            yield from results(content)
        elif asked == "user" or not signed(message):
            yield from texts(content)


def narrow_list(messages: Node, keep: int) -> None:
    """Of the leading messages of the system, all but the first `keep` go."""
    messages.remove_all(range(keep, len(leading(messages))))


def narrow_key(holder: Node) -> None:
    """Where there is one place for a system prompt, there is nothing to narrow."""


def messages_of(holder: Node, key: str = "messages") -> Node:
    """Raises Cannot."""
    found = holder.get(key)
    if found is None or found.kind != "array":
        raise Cannot("elsewhere", f"the request has no list `{key}`")
    return found


def insert_new(messages: Node, at: int, entries: Sequence[bytes]) -> None:
    """Not where they are already."""
    there = [node.read() for node in messages.elements(at, at + len(entries))]
    if there != [Node(entry, 0, len(entry)).read() for entry in entries]:
        for number, entry in enumerate(entries):
            messages.insert(at + number, entry)


def plain_messages(messages: Sequence[FewShot]) -> list[bytes]:
    return [dumped({"role": one.role, "content": one.text}) for one in messages]


def add_to_list(holder: Node, key: str, entries: Sequence[tuple[str, bytes]]) -> None:
    """Entries by their names; those whose name is there already are left out."""
    there = holder.get(key)
    if there is None or there.null:
        there = holder.put(key, b"[]")
    if there.kind != "array":
        raise Cannot("elsewhere", f"`{key}` is no list")
    taken = {name for entry in there.elements() for name in named(entry)}
    for name, entry in entries:
        if name not in taken:
            there.append(entry)


def named(entry: Node) -> Iterator[str]:
    """What an entry of a list of tools is called."""
    for owner in (entry, *(entry.get(key) for key in ("function", "custom", "toolSpec"))):
        if owner is not None and (name := said(owner, "name")):
            yield name


def functions(tools: Sequence[NewTool]) -> list[tuple[str, bytes]]:
    """As OpenAI's chat has them, and whoever follows it."""
    return [(one.name, dumped({"type": "function", "function": _function(one)})) for one in tools]


def flat_functions(tools: Sequence[NewTool]) -> list[tuple[str, bytes]]:
    return [(one.name, dumped({"type": "function", **_function(one)})) for one in tools]


def _function(tool: NewTool) -> dict[str, object]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
