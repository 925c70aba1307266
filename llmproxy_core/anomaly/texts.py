"""What was said in a request or an answer, as detectors want it: each text with who wrote it."""

from collections.abc import Iterator
from typing import Any, Final

from llmproxy_core.anomaly.finding import Author, Kind, Text
from llmproxy_core.model import Message, Part, PartKind, Request, Response, Role

KINDS: Final[dict[PartKind, Kind]] = {
    "text": "text",
    "refusal": "text",
    "other": "text",
    "reasoning": "reasoning",
    "tool_call": "arguments",
    "tool_result": "result",
    "document": "document",
}
"""Pictures and sound have no text."""
SHORTEST = 3
"""Characters of a string that may be a text."""
MEDIA = 8192
"""Characters of which one is a blank, or they are a picture, or sound."""
AUTHORS: Final[dict[Role, Author]] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def request_texts(request: Request) -> Iterator[Text]:
    """In order. What describes a tool is the work of whoever made the tool, e.g. an MCP server."""
    for part in request.system:
        yield from _part(part, "system")
    for tool in request.tools:
        if tool.description:
            yield Text(tool.description, "tool", "document", tool.name)
    for message in request.messages:
        yield from message_texts(message)


def unknown_texts(value: Any) -> Iterator[Text]:
    """Of a body that no reader knows: all strings, as the user's."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if len(one) >= SHORTEST and not (len(one) > MEDIA and " " not in one[:MEDIA]):
                yield Text(one, "user")
        elif isinstance(one, dict):
            left += reversed(one.values())
        elif isinstance(one, list):
            left += reversed(one)


def message_texts(message: Message) -> Iterator[Text]:
    for part in message.parts:
        yield from _part(part, AUTHORS[message.role])


def answer_texts(response: Response) -> Iterator[Text]:
    """Of all choices; the arguments of tools of the first."""
    for part in response.parts:
        yield from _part(part, "assistant")
    for text in response.texts[1:]:
        if text:
            yield Text(text, "assistant")


def call_text(tool: str, arguments: str) -> Text:
    """A call of a tool."""
    return Text(arguments, "assistant", "arguments", tool)


def _part(part: Part, author: Author) -> Iterator[Text]:
    kind = KINDS.get(part.kind)
    if kind is None or not part.text:
        return
    if kind in ("result", "document"):
        author = "tool"
    yield Text(part.text, author, kind, part.name or "")
