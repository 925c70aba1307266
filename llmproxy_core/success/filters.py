"""Answers that a provider's filter has stopped, and those that the model itself marks as refused.

Sources: https://platform.openai.com/docs/api-reference/chat/object (`finish_reason`),
https://docs.anthropic.com/en/api/handling-stop-reasons, https://ai.google.dev/api/generate-content
(`FinishReason`, `BlockReason`; some programs write its numbers),
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter.
"""

from llmproxy_core.model import ApiError, Response, mapping, text_of

REASONS = frozenset(
    {
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "refusal",
        "safety",
        "recitation",
        "language",
        "blocklist",
        "prohibited_content",
        "spii",
        "image_safety",
        "image_prohibited_content",
        "image_recitation",
        "model_armor",
        "error_toxic",
    }
)
NUMBERS = {"3": "safety", "4": "recitation", "6": "language", "7": "blocklist"}
NUMBERS |= {"8": "prohibited_content", "9": "spii", "11": "image_safety"}
CODES = (
    "content_filter",
    "content_policy",
    "responsibleaipolicy",
    "moderation",
    "invalid_prompt",
    "jailbreak",
    "model_armor",
    "blocked_reason",
)
"""In types and codes of errors by which a request is refused for what it says."""
BLOCKED = frozenset({*REASONS, "other", "block_reason_unspecified", "jailbreak"})
"""Gemini's reasons for which a prompt is blocked; they come as the type of an error."""


def filtered(response: Response) -> str | None:
    """The word of the filter, in lower case; None where none has struck."""
    if response.refusal:
        return "refusal"
    for reason in response.finish_reasons:
        word = NUMBERS.get(reason, reason.lower())
        if word in REASONS:
            return word
    return _of_error(response.error) if response.error else None


def _of_error(error: ApiError) -> str | None:
    raw = mapping(error.raw)
    inner = mapping(raw.get("innererror") or raw.get("inner_error"))
    told = [error.type or "", text_of(raw.get("code")), text_of(inner.get("code"))]
    for word in map(str.lower, told):
        if word in BLOCKED or any(code in word for code in CODES):
            return word
    return None
