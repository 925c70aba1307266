"""What an answer of Gemini leans on, and why one was struck out: shown beside its text.

Source: https://ai.google.dev/api/generate-content#GroundingMetadata
"""

from typing import Any

from llmproxy_core.model import Part, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, items

ORIGINS = ("web", "retrievedContext", "retrieved_context", "maps")
WHOLE = ("STOP", "MAX_TOKENS", "1", "2")
"""Reasons, and their numbers, that need no explanation."""


def read_grounding(candidate: Body, into: Assembler) -> None:
    """The sources of a candidate; each is kept once, however often a stream repeats it."""
    told = candidate.get("groundingMetadata", candidate.get("grounding_metadata"))
    for chunk in items(mapping(told).get("groundingChunks", mapping(told).get("grounding_chunks"))):
        origin = next((mapping(chunk[key]) for key in ORIGINS if key in chunk), {})
        into.cite(text_of(origin.get("title")), text_of(origin.get("uri")))
    fetched = candidate.get("urlContextMetadata", candidate.get("url_context_metadata"))
    for page in items(mapping(fetched).get("urlMetadata", mapping(fetched).get("url_metadata"))):
        into.cite("", text_of(page.get("retrievedUrl", page.get("retrieved_url"))))


def read_refusal(candidate: Body, reason: Any, choice: int, into: Assembler) -> None:
    """Why there is no more: the harm that was seen, or what was wrong with a call."""
    if str(reason) in WHOLE:
        return
    harms = [
        str(rating.get("category"))
        for rating in items(candidate.get("safetyRatings", candidate.get("safety_ratings")))
        if rating.get("blocked") is True
    ]
    message = text_of(candidate.get("finishMessage", candidate.get("finish_message")))
    if harms or message:
        into.part(Part("other", ", ".join([*harms, message] if message else harms)), choice)
