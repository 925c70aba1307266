"""Which path is answered in which format, whatever the host."""

import base64
import re
import struct
from collections.abc import Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator.anthropic_batches import PATH, AnthropicBatches
from llmproxy_core.simulator.anthropic_messages import AnthropicMessages
from llmproxy_core.simulator.bedrock_converse import BedrockConverse
from llmproxy_core.simulator.bedrock_invoke import BedrockInvoke
from llmproxy_core.simulator.exchange import CREATED, Format, size
from llmproxy_core.simulator.gemini import Gemini
from llmproxy_core.simulator.ollama_chat import OllamaChat
from llmproxy_core.simulator.openai_chat import OpenAIChat
from llmproxy_core.simulator.openai_responses import OpenAIResponses

FORMATS: tuple[tuple[re.Pattern[str], Format], ...] = (
    (re.compile(r"/chat/completions$"), OpenAIChat()),
    (re.compile(r"/responses$"), OpenAIResponses()),
    (re.compile(r"/v1/messages$"), AnthropicMessages()),
    (re.compile(r"/models/[^/]+:generateContent$"), Gemini()),
    (re.compile(r"/models/[^/]+:streamGenerateContent$"), Gemini()),
    (re.compile(r"/api/chat$"), OllamaChat()),
    (re.compile(r"/model/[^/]+/converse(-stream)?$"), BedrockConverse()),
    (re.compile(r"/model/[^/]+/invoke(-with-response-stream)?$"), BedrockInvoke()),
)
GEMINI_ARRAY = Gemini(array=True)

MODELS = {
    "openai": ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-5"),
    "anthropic": ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5"),
    "gemini": ("gemini-3.8-flash", "gemini-2.5-flash"),
}


def format_for(path: str, query: str) -> Format | None:
    for pattern, form in FORMATS:
        if pattern.search(path):
            plain_stream = "streamGenerateContent" in path and "alt=sse" not in query
            return GEMINI_ARRAY if plain_stream else form
    return None


def judged_like(path: str) -> Format | None:
    """The format in which requests at this path have names of tools, though none is generated."""
    if path == PATH:
        return AnthropicBatches()
    if path.endswith("/messages/count_tokens"):
        return AnthropicMessages()
    return Gemini() if path.endswith(":countTokens") else None


def plain(method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Any:
    """The JSON of the calls that are not generations; None: there is no such path."""
    if path.endswith("/messages/count_tokens"):
        return {"input_tokens": size(dict(body)) // 4}
    if path.endswith(":countTokens"):
        return {"totalTokens": size(dict(body)) // 4}
    if path.endswith("/embeddings"):
        return _embeddings(body)
    if method == "GET" and path.endswith("/codex/models"):
        return {"models": []}  # Codex then has its own list
    if method == "GET" and path.endswith("/models"):
        return _models(path, headers)
    if path == "/api/hello":
        return {"message": "hello"}  # Claude Code asks before its first start
    if "/event_logging/" in path or path.endswith(("/telemetry", "/log")):
        return {"accepted": True}
    return None


def _models(path: str, headers: Mapping[str, str]) -> Any:
    if "anthropic-version" in headers:
        listed: list[Any] = [
            {"type": "model", "id": m, "display_name": m, "created_at": "2026-01-01T00:00:00Z"}
            for m in MODELS["anthropic"]
        ]
        ids = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
        return {"data": listed, "has_more": False, **ids}
    if "/v1beta/" in path or "x-goog-api-key" in headers:
        return {"models": [{"name": f"models/{m}", "displayName": m} for m in MODELS["gemini"]]}
    listed = [
        {"id": m, "object": "model", "created": CREATED, "owned_by": "simulator"}
        for m in MODELS["openai"]
    ]
    return {"object": "list", "data": listed}


def _embeddings(body: Mapping[str, Any]) -> Any:
    asked = body.get("input")
    texts = asked if isinstance(asked, list) else [asked]
    vector = [0.5, -0.25, 0.125, 0.0]
    packed = base64.b64encode(struct.pack("<4f", *vector)).decode()
    embedding = packed if body.get("encoding_format") == "base64" else vector
    tokens = size(asked) // 4
    return {
        "object": "list",
        "model": mapping(body).get("model"),
        "data": [
            {"object": "embedding", "index": i, "embedding": embedding} for i in range(len(texts))
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
