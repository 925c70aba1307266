"""Tokens that are not text: sound, pictures and film have prices of their own on some lists.

Where providers tell them: OpenAI in `*_tokens_details` (realtime: `*_token_details`), by
`audio_tokens` and `image_tokens`, the cached ones within `cached_tokens_details`; Google in lists
of `{"modality": "AUDIO", "tokenCount": 12}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmproxy_core.model import Json, mapping

NAMES = ("audio", "image", "video")


@dataclass(slots=True)
class Tokens:
    """Of one modality; `input` includes the cached ones."""

    input: int = 0
    cached: int = 0
    output: int = 0


def modalities(raw: Json) -> dict[str, Tokens]:
    """By name, those of which a provider's usage object tells any."""
    usage = mapping(raw)
    asked = _openai(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    said = _openai(
        usage, "completion_tokens_details", "output_tokens_details", "output_token_details"
    )
    cached = mapping(asked.get("cached_tokens_details"))
    found = {}
    for name in NAMES:
        tokens = Tokens(
            _count(asked.get(f"{name}_tokens")) + _google(usage, name, "promptTokensDetails"),
            _count(cached.get(f"{name}_tokens")) + _google(usage, name, "cacheTokensDetails"),
            _count(said.get(f"{name}_tokens"))
            + _google(usage, name, "candidatesTokensDetails", "responseTokensDetails"),
        )
        if tokens.input or tokens.output:
            tokens.cached = min(tokens.cached, tokens.input)
            found[name] = tokens
    return found


def _openai(usage: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    return next((found for key in keys if (found := mapping(usage.get(key)))), {})


def _google(usage: Mapping[str, Any], name: str, *keys: str) -> int:
    told = next((found for key in keys if isinstance(found := usage.get(key), list)), [])
    return sum(
        _count(mapping(one).get("tokenCount"))
        for one in told[:16]
        if mapping(one).get("modality") == name.upper()
    )


def _count(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
