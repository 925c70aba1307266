"""OpenRouter's chat completions, as far as the advisor speaks them.

Source: openrouter.ai/docs, "API Reference", "Errors", "Usage Accounting", "Structured Outputs".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from llmproxy_core.model import Json, mapping

FENCE = re.compile(r"\A\s*```[a-z]*\n(.*)\n```\s*\Z", re.DOTALL)
NAME = re.compile(r"[^A-Za-z0-9_-]")
LONGEST_WAIT = 86_400.0
SHOWN = 200
"""Characters of an error that are told."""

type Said = list[dict[str, str]]
"""Messages: `role` and `content`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came. `status` 0: nothing did. `usd` None: not told, and not nothing for sure. `error`: a
    sentence where there is no answer."""

    status: int
    text: str = ""
    usd: float | None = None
    error: str = ""
    wait: float = 0.0
    """Seconds after which to try again, as the other side wants it."""

    @property
    def is_passing(self) -> bool:
        """May the same question be answered later?"""
        return self.status in (408, 425, 429) or self.status >= 500


def question(
    model: str, kind: str, said: Said, schema: Mapping[str, Any], max_tokens: int
) -> dict[str, Any]:
    """The body of a request. Providers that keep or learn from what they read are left out."""
    name = NAME.sub("_", kind)[:64] or "answer"
    return {
        "model": model,
        "messages": said,
        "max_tokens": max_tokens,
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": closed(schema)},
        },
        "usage": {"include": True},
        "provider": {"data_collection": "deny"},
    }


def closed(schema: Any) -> Any:
    """The schema with objects that allow no other keys and want all of theirs, as `strict` asks."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    same = {key: closed(value) for key, value in schema.items() if key != "default"}
    if same.get("type") == "object" and isinstance(same.get("properties"), dict):
        same["additionalProperties"] = False
        same["required"] = list(same["properties"])
    return same


def reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """What an answer says. An error may come with status 200, and in a choice."""
    try:
        told = mapping(json.loads(body))
    except (ValueError, RecursionError):
        told = {}
        if status < 400:
            return Reply(502, error="an answer that is not JSON")
    usd = cost(told)
    if usd is None and status >= 400:
        usd = 0.0
    error = mapping(told.get("error"))
    choice = mapping(_first(told.get("choices")))
    error = error or mapping(choice.get("error"))
    if status >= 400 or error:
        code = error.get("code")
        status = code if status < 400 and type(code) is int and 400 <= code < 600 else status
        message = error.get("message")
        words = message if isinstance(message, str) else "no reason given"
        return Reply(
            status if status >= 400 else 502, "", usd, words[:SHOWN], _wait(headers, error)
        )
    content = mapping(choice.get("message")).get("content")
    if not isinstance(content, str) or not content.strip():
        reason = choice.get("finish_reason")
        return Reply(200, "", usd, f"an empty answer (finish_reason {str(reason)[:40]})")
    return Reply(200, content, usd)


def cost(told: Mapping[str, Any]) -> float | None:
    """USD as billed. With a key of one's own at the provider its part comes on top."""
    usage = mapping(told.get("usage"))
    usd = _usd(usage.get("cost"))
    if usd is not None and usage.get("is_byok") is True:
        usd += _usd(mapping(usage.get("cost_details")).get("upstream_inference_cost")) or 0.0
    return usd


def json_in(text: str) -> str:
    """The JSON of an answer, without the fence or the words that models put around it."""
    if fenced := FENCE.match(text):
        text = fenced[1]
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _usd(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return float(value)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _wait(headers: Mapping[str, str], error: Mapping[str, Any]) -> float:
    """Retry-After, in seconds or as a date; OpenRouter also repeats the provider's own headers."""
    repeated = mapping(mapping(error.get("metadata")).get("headers"))
    told = headers.get("retry-after") or repeated.get("Retry-After")
    if not isinstance(told, str | int | float):
        return 0.0
    try:
        seconds = float(told)
    except ValueError:
        try:
            at = parsedate_to_datetime(str(told))
        except ValueError:
            return 0.0
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else 0.0
