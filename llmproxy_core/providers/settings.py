"""The scalar settings of a request, and the ids by which clients tell sessions apart."""

import re
from collections.abc import Mapping
from typing import Any

from llmproxy_core.model import Json, mapping, text_of
from llmproxy_core.providers.parsing import parse

LONGEST = 200
"""Characters of a setting or an id that are kept."""

SESSION_HEADERS = (
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "x-session-id",
    "conversation_id",
    "conversation-id",
    "thread-id",
    "thread_id",
)
"""Headers, in lower case, by which known agents name their session; the first one wins."""
UNIQUE = re.compile(r"(?=.*\d)[0-9A-Za-z_-]{20,}")
"""What only a random id looks like: long, and with digits."""
HINTS = ("prompt_cache_key", "previous_response_id", "session_id", "conversation_id", "user")
METADATA_HINTS = ("session_id", "conversation_id", "thread_id", "chat_id")
NOT_SETTINGS = frozenset({*HINTS, "model", "stream", "metadata", "client_metadata", "conversation"})


def settings(body: Mapping[str, Any], skip: frozenset[str]) -> dict[str, Json]:
    """Scalars and short lists of scalars by name; those of an inner object as `outer.inner`."""
    found: dict[str, Json] = {}
    for key, value in body.items():
        if key in skip or key in NOT_SETTINGS or value is None:
            continue
        if isinstance(value, dict):
            for inner, item in value.items():
                _keep(found, f"{key}.{inner}", item)
        else:
            _keep(found, key, value)
    return found


def _keep(found: dict[str, Json], key: str, value: Any) -> None:
    if isinstance(value, str):
        found[key] = value[:LONGEST]
    elif isinstance(value, bool | int | float):
        found[key] = value
    elif isinstance(value, list) and 0 < len(value) <= 8:
        items = [item[:LONGEST] if isinstance(item, str) else item for item in value]
        if not any(isinstance(item, dict | list) for item in items):
            found[key] = items


def session_hints(body: Mapping[str, Any]) -> dict[str, str]:
    """Ids of sessions found in a body, by the name of their field; `user` is a person's, often.

    `metadata.user_id` is reduced to the session in it, where it has one: Claude Code sends
    `user_<hash>_account_<uuid>_session_<uuid>`, or a JSON text with a `session_id`.
    """
    found = {key: body.get(key) for key in HINTS}
    conversation = body.get("conversation")
    found["conversation"] = mapping(conversation).get("id") or conversation
    metadata = mapping(body.get("metadata"))
    found["metadata.user_id"] = _session_of(text_of(metadata.get("user_id")))
    for key in METADATA_HINTS:
        found[f"metadata.{key}"] = metadata.get(key)
    client = mapping(body.get("client_metadata"))
    for key in ("session_id", "thread_id"):
        found[f"client_metadata.{key}"] = client.get(key) or client.get(key.replace("_", "-"))
    return {
        key: value[:LONGEST] for key, value in found.items() if isinstance(value, str) and value
    }


def _session_of(user: str) -> str:
    if user.startswith("{"):
        value, _ = parse(user.encode("utf-8", "replace"))
        return text_of(mapping(value).get("session_id")) or user
    return user.rpartition("_session_")[2]


def is_unique(id: str) -> bool:
    """Does it name one session, wherever it stands?"""
    return UNIQUE.fullmatch(id) is not None
