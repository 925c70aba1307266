"""`judgement`: what the advisor thinks of an answer, asked about a sample of the calls."""

from uuid import UUID

from llmproxy_core.hashing import content_hash
from llmproxy_core.success.signal import Signal, Verdict, worded


def is_sampled(request: UUID, share: float) -> bool:
    """Is this call one of those that are judged? Always the same for the same call.

    `share` from 0 (none) to 1 (all).
    """
    drawn = int.from_bytes(content_hash(b"llmproxy judgement " + request.bytes)[:8])
    return drawn < share * 2**64


def judgement(request: UUID, verdict: Verdict, confidence: float, reason: str) -> Signal:
    """`confidence` from 0 to 1, of the verdict. Raises ValueError outside of it."""
    if not 0 <= confidence <= 1:
        raise ValueError(f"a confidence is from 0 to 1, not {confidence}")
    return Signal(request, "judgement", verdict, "advisor", confidence, worded(reason))
