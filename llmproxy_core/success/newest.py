"""What is new in a request: what a person says in it, and what tools gave back."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmproxy_core.model import Message, Part, text_of
from llmproxy_core.providers.format import items

LONGEST = 16_000
"""Characters of what was said that are looked at."""
AGENTS = (
    "system-reminder",
    "environment_context",
    "user_instructions",
    "command-name",
    "command-message",
    "command-args",
    "local-command-stdout",
    "local-command-caveat",
    "ide_opened_file",
    "ide_selection",
)
"""Tags in which agents put words of their own among those of a person."""
MOST = 500
"""Messages at the end of a request that may be new."""


def newest(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages after the last answer."""
    for number in range(1, min(len(messages), MOST) + 1):
        if messages[-number].role == "assistant":
            return messages[len(messages) - number + 1 :]
    return messages[-MOST:]


def said(messages: Sequence[Message]) -> str:
    """The newest words of a person, without what agents put around them."""
    texts = [
        part.text
        for message in newest(messages)
        if message.role == "user"
        for part in message.parts
        if part.kind == "text"
    ]
    return untagged("\n".join(texts)[: 4 * LONGEST])[:LONGEST].strip()


def results(messages: Sequence[Message]) -> list[Part]:
    """What tools gave back since the last answer."""
    return [p for message in newest(messages) for p in message.parts if p.kind == "tool_result"]


def answer_before(messages: Sequence[Message]) -> str:
    """The text of the last answer that the request repeats; empty where there is none."""
    at = len(messages) - len(newest(messages)) - 1
    if at < 0 or messages[at].role != "assistant":
        return ""
    return "".join(part.text for part in messages[at].parts if part.kind == "text")


def untagged(text: str) -> str:
    """In linear time; a tag that does not end takes all that follows."""
    if "<" not in text:
        return text
    for tag in AGENTS:
        begin, end = f"<{tag}>", f"</{tag}>"
        kept: list[str] = []
        at = 0
        while (start := text.find(begin, at)) >= 0:
            kept.append(text[at:start])
            stop = text.find(end, start)
            at = len(text) if stop < 0 else stop + len(end)
        text = "".join(kept) + text[at:]
    return text


def flagged(body: Mapping[str, Any]) -> set[str]:
    """Ids of the calls of tools of which the newest messages say that they failed.

    Anthropic's `is_error`, Bedrock's `status`; other wires have only the words of the result.
    """
    found: set[str] = set()
    for message in reversed(items(body.get("messages"))[-MOST:]):
        if message.get("role") == "assistant":
            break
        for block in items(message.get("content")):
            inner = block.get("toolResult")
            if block.get("is_error") is True:
                found.add(text_of(block.get("tool_use_id")))
            elif isinstance(inner, dict) and inner.get("status") == "error":
                found.add(text_of(inner.get("toolUseId")))
    return found - {""}
