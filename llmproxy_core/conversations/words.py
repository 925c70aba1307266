"""Texts that come back elsewhere: the prompt of a tool call, a summary of what was said."""

import re
from collections.abc import Iterator
from typing import Any

from llmproxy_core.conversations.wrapping import unwrapped
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Message
from llmproxy_core.providers.parsing import parse

SHORTEST = 20
"""Characters of a string argument that may be a prompt."""
LONGEST = 16_000
MAX_STRINGS = 32
MAX_DEPTH = 6
SENTENCE = 30
"""Characters of a sentence that tells a text from others."""
MAX_SENTENCES = 32
ENDS = re.compile(r"[.!?:;]\s+|\n+")
MAX_TEXT = 64_000


def normal(text: str) -> str:
    return " ".join(text.split())


def key(text: str) -> Hash:
    """Of a text in which only the spacing differs, the same."""
    return content_hash(normal(text).encode("utf-8", "surrogatepass"))


def strings(arguments: str) -> list[str]:
    """The strings in the JSON arguments of a tool call that may be prompts, in order."""
    value, _ = parse(arguments.encode("utf-8", "surrogatepass"))
    found: list[str] = []
    for text in _strings(arguments if value is None else value, MAX_DEPTH):
        if len(found) == MAX_STRINGS:
            break
        found.append(text)
    return found


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if len(value.strip()) >= SHORTEST and len(value) <= LONGEST:
            yield value
    elif depth and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner, depth - 1)


def openings(messages: list[Message]) -> list[str]:
    """What a conversation begins with, in several readings: what the first user message says
    without the tags of agents, all of it, and its parts one by one."""
    first = next((message for message in messages if message.role == "user"), None)
    if first is None:
        return []
    texts = [part.text for part in first.parts if part.kind == "text" and part.text.strip()]
    whole = "\n".join(texts)
    if len(whole) > MAX_TEXT:
        return []
    return list(dict.fromkeys([unwrapped(whole, " "), whole, *reversed(texts)]))


def sentences(text: str, most: int = MAX_SENTENCES) -> list[tuple[Hash, int]]:
    """The keys of the long sentences of a text, with their lengths: the first `most`."""
    found: list[tuple[Hash, int]] = []
    for sentence in ENDS.split(text[:MAX_TEXT]):
        if len(sentence) >= SENTENCE:
            found.append((key(sentence), len(sentence)))
            if len(found) == most:
                break
    return found
