"""`answered` and `unavailable`: HTTP errors, errors within answers, answers that broke off."""

from llmproxy_core.success.call import Call
from llmproxy_core.success.filters import filtered
from llmproxy_core.success.signal import Signal, worded

AWAY = frozenset({401, 402, 403, 407, 408, 421, 425, 429, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that come of accounts and load: whatever is asked, they are the same."""
AWAY_WORDS = (
    "overloaded",
    "rate_limit",
    "ratelimit",
    "resource_exhausted",
    "throttl",
    "quota",
    "unavailable",
    "authentication",
    "permission",
    "unauthenticated",
    "billing",
)
"""In the types of errors that come within an answer of status 200."""


def answered(call: Call) -> Signal | None:
    """Good for every call that was answered. None: nobody knows, or `unavailable` tells it."""
    if is_away(call) or filtered(call.response):
        return None
    if call.whole:
        return Signal(call.id, "answered", "good", "wire", 1.0, f"HTTP {call.status}")
    if call.ending in ("client_closed", "killed") and not call.response.error:
        return None
    return Signal(call.id, "answered", "bad", "wire", 1.0, _why(call))


def unavailable(call: Call) -> Signal | None:
    if not is_away(call):
        return None
    return Signal(call.id, "unavailable", "bad", "wire", 1.0, _why(call))


def is_away(call: Call) -> bool:
    """Is it the account, or the load, that the call failed of?"""
    if call.status in AWAY and not filtered(call.response):
        return True
    error = call.response.error
    if call.status >= 400 or call.mute or error is None or error.type is None:
        return False
    kind = error.type.lower()
    return kind in map(str, AWAY) or any(word in kind for word in AWAY_WORDS)


def _why(call: Call) -> str:
    if (error := call.response.error) and not call.mute:
        status = f"HTTP {call.status} " if call.status >= 400 else ""
        kind = f"{error.type}: " if error.type else ""
        return worded(f"{status}{kind}{error.message}")
    if call.status >= 400:
        return f"HTTP {call.status}"
    if call.status == 0:
        return "no answer"
    return f"the answer broke off ({call.ending})"
