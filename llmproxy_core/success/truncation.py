"""`truncated`: the answer ends where its limit of tokens was, and not where it was done."""

from llmproxy_core.success.call import Call
from llmproxy_core.success.signal import Signal

REASONS = frozenset(
    {
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "max_length",
        "model_length",
        "token_limit",
        "error_limit",
        "model_context_window_exceeded",
        "incomplete",
    }
)
GEMINI = "2"
"""MAX_TOKENS as some programs write it. https://ai.google.dev/api/generate-content"""


def truncated(call: Call) -> Signal | None:
    """Of several answers one is enough."""
    if not call.whole or not call.asks:
        return None
    for reason in call.response.finish_reasons:
        if reason.lower() in REASONS or (reason == GEMINI and call.wire.startswith("gemini")):
            return Signal(call.id, "truncated", "bad", "wire", 1.0, f"finish reason {reason!r}")
    return None
