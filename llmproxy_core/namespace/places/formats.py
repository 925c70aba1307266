"""The register: where each wire format has names of tools. A new one is a file and a line here."""

from llmproxy_core.namespace.grammar import Places
from llmproxy_core.namespace.places import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    ollama,
    openai_chat,
    openai_realtime,
    openai_responses,
)

PLACES: dict[str, Places] = {
    "openai.chat": openai_chat.CHAT,
    "watsonx.chat": openai_chat.CHAT,
    "openai.responses": openai_responses.RESPONSES,
    "openai.responses.compact": openai_responses.RESPONSES,
    "openai.responses.input_tokens": openai_responses.COUNTED,
    "openai.responses.websocket": openai_responses.WEBSOCKET,
    "openai.realtime": openai_realtime.REALTIME,
    "anthropic.messages": anthropic.MESSAGES,
    "anthropic.count_tokens": anthropic.COUNTED,
    "anthropic.batches": anthropic.BATCHES,
    "gemini": gemini.GENERATE,
    "gemini.count_tokens": gemini.COUNTED,
    "gemini.live": gemini.LIVE,
    "bedrock.converse": bedrock.CONVERSE,
    "bedrock.converse-stream": bedrock.CONVERSE,
    "bedrock.invoke": bedrock.INVOKE,
    "bedrock.invoke-with-response-stream": bedrock.INVOKE,
    "bedrock.count_tokens": bedrock.COUNTED,
    "cohere.chat": cohere.CHAT,
    "ollama.chat": ollama.CHAT,
}

WORDS = frozenset({b"auto", b"none", b"any", b"required", b"validated", b"default"})
"""What a choice in one word says without naming a tool."""

WITHOUT = frozenset(
    {
        "ai21.chat",
        "ai21.complete",
        "anthropic.complete",
        "cohere.classify",
        "cohere.embed",
        "cohere.generate",
        "cohere.rerank",
        "gemini.embeddings",
        "huggingface.tgi",
        "mistral.fim",
        "mistral.ocr",
        "ollama.embed",
        "ollama.embeddings",
        "ollama.generate",
        "openai.audio",
        "openai.completions",
        "openai.embeddings",
        "openai.graders",
        "openai.images",
        "openai.moderations",
        "replicate.predictions",
        "rerank",
        "vertex.predict",
        "voyage.embeddings",
        "watsonx.generation",
    }
)
"""Formats that know no tools."""

ELSEWHERE = frozenset(
    {
        "gemini.batches",
        "mistral.agents",
        "mistral.batches",
        "mistral.conversations",
        "openai.assistants",
        "openai.batches",
        "vertex.batches",
    }
)
"""Formats whose tools are declared in calls that we do not see, or called in answers that we do
not: their names are left alone."""
