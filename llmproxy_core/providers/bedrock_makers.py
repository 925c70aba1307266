"""Whose words a body of `bedrock.invoke` speaks: the model in the path may be an ARN."""

from llmproxy_core.model import mapping, text_of
from llmproxy_core.providers.anthropic_messages import AnthropicMessages
from llmproxy_core.providers.bedrock_converse import EVENTS, BedrockConverse
from llmproxy_core.providers.cohere_chat import CohereChat
from llmproxy_core.providers.format import Body, Format, items
from llmproxy_core.providers.openai_chat import OpenAIChat
from llmproxy_core.providers.rerank import Rerank

ANTHROPIC, CONVERSE, CHAT = AnthropicMessages(), BedrockConverse(), OpenAIChat()
COHERE, RERANK = CohereChat(), Rerank()
OF_COHERE = ("event_type", "chat_history", "preamble", "tool_results")
OF_ANTHROPIC = ("message", "content_block", "ping")


def speaker(body: Body) -> Format | None:
    """The format, of those that have a file; None: a text model's own words."""
    if "anthropic_version" in body or text_of(body.get("type")).startswith(OF_ANTHROPIC):
        return ANTHROPIC
    if any(key in body for key in OF_COHERE):
        return COHERE
    if "query" in body or any("relevance_score" in one for one in items(body.get("results"))[:1]):
        return RERANK
    if "schemaVersion" in body or "stopReason" in body or any(key in EVENTS for key in body):
        return CONVERSE
    if mapping(body.get("output")).get("message") is not None:
        return CONVERSE
    return _chat(body)


def _chat(body: Body) -> Format | None:
    for choice in items(body.get("choices")):
        return CHAT if "delta" in choice or "message" in choice else None
    messages = items(body.get("messages"))
    if not messages:
        return CHAT if body.get("object") == "chat.completion.chunk" else None
    return CONVERSE if _is_converse(messages) else CHAT


def _is_converse(messages: list[Body]) -> bool:
    """Nova's blocks have a key of their kind; those of others, a `type`."""
    blocks = [block for message in messages for block in items(message.get("content"))]
    return bool(blocks) and "type" not in blocks[0]
