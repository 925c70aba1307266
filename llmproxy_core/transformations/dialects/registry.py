"""Which dialect a wire format has; where there are several, the request tells which it is in."""

from collections.abc import Callable, Mapping

from llmproxy_core.transformations.dialects import (
    anthropic,
    bedrock,
    blocks,
    cohere,
    gemini,
    ollama,
    openai_chat,
    openai_realtime,
    openai_responses,
    openai_texts,
)
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.nodes import Node

OTHER = Dialect("other")
"""A format that only JSON pointers reach into."""
SILENT = Dialect("a frame that asks for nothing", holders=())

type Told = Callable[[Node], Dialect]


def _cohere(root: Node) -> Dialect:
    return cohere.FIRST if root.get("messages") is None else cohere.SECOND


def _invoke(root: Node) -> Dialect:
    """Whose words: see `providers.bedrock_makers`."""
    if root.get("anthropic_version") is not None:
        return anthropic.MESSAGES
    if root.get("schemaVersion") is not None or root.get(bedrock.CONFIG) is not None:
        return bedrock.INVOKED
    if root.get("chat_history") is not None or root.get("preamble") is not None:
        return cohere.FIRST
    for message in blocks.some(root.get("messages"))[:1]:
        content = message.get("content")
        first = content.elements()[:1] if content is not None else []
        converse = bool(first) and first[0].get("type") is None
        return bedrock.INVOKED if converse else openai_chat.CHAT
    return OTHER


def _gemini(root: Node) -> Dialect:
    return gemini.ENVELOPED if root.get("request") is not None else gemini.GENERATE


def _gemini_counted(root: Node) -> Dialect:
    return gemini.COUNTED if root.get("contents") is not None else gemini.COUNTED_INSIDE


def _live(root: Node) -> Dialect:
    return gemini.SETUP if root.get("setup") is not None else gemini.SAID


def _socket(root: Node) -> Dialect:
    if blocks.said(root, "type") != "response.create":
        return SILENT
    inside = root.get("response") is not None
    return openai_responses.NESTED_FRAME if inside else openai_responses.FRAME


DIALECTS: Mapping[str, tuple[Dialect, ...]] = {
    "openai.chat": (openai_chat.CHAT,),
    "watsonx.chat": (openai_chat.CHAT,),
    "ai21.chat": (openai_chat.CHAT,),
    "openai.completions": (openai_texts.PROMPT,),
    "openai.embeddings": (openai_texts.INPUT,),
    "openai.responses": (openai_responses.RESPONSES,),
    "openai.responses.compact": (openai_responses.COUNTED,),
    "openai.responses.input_tokens": (openai_responses.COUNTED,),
    "openai.responses.websocket": (openai_responses.FRAME, openai_responses.NESTED_FRAME),
    "openai.realtime": (openai_realtime.REALTIME,),
    "anthropic.messages": (anthropic.MESSAGES,),
    "anthropic.count_tokens": (anthropic.COUNTED,),
    "anthropic.batches": (anthropic.BATCHES,),
    "gemini": (gemini.GENERATE, gemini.ENVELOPED),
    "gemini.count_tokens": (gemini.COUNTED, gemini.COUNTED_INSIDE),
    "gemini.live": (gemini.SETUP, gemini.SAID),
    "bedrock.converse": (bedrock.CONVERSE,),
    "bedrock.converse-stream": (bedrock.CONVERSE,),
    "bedrock.count_tokens": (bedrock.COUNTED,),
    "bedrock.invoke": (anthropic.MESSAGES, bedrock.INVOKED, cohere.FIRST, openai_chat.CHAT),
    "bedrock.invoke-with-response-stream": (
        *(anthropic.MESSAGES, bedrock.INVOKED, cohere.FIRST, openai_chat.CHAT),
    ),
    "ollama.chat": (ollama.CHAT,),
    "ollama.generate": (ollama.GENERATE,),
    "cohere.chat": (cohere.SECOND, cohere.FIRST),
}
"""All that a request in this format may be in."""
TOLD: Mapping[str, Told] = {
    "cohere.chat": _cohere,
    "bedrock.invoke": _invoke,
    "bedrock.invoke-with-response-stream": _invoke,
    "gemini": _gemini,
    "gemini.count_tokens": _gemini_counted,
    "gemini.live": _live,
    "openai.responses.websocket": _socket,
}


def dialects(wire: str) -> tuple[Dialect, ...]:
    return DIALECTS.get(wire, (OTHER,))


def dialect_of(wire: str, root: Node) -> Dialect:
    """That of a request. Raises Cannot where it cannot be read."""
    told = TOLD.get(wire)
    return told(root) if told is not None else dialects(wire)[0]
