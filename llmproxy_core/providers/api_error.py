"""Errors as the providers word them, in the many shapes that they have."""

from collections.abc import Mapping
from typing import Any

from llmproxy_core.model import ApiError, mapping, text_of
from llmproxy_core.providers.parsing import dumps

LONGEST = 4000
"""Characters of a message that are kept."""


def read_error(body: object) -> ApiError | None:
    """The error in an answer's body or in an event; None if there is no sign of one.

    Knows `{"error": {...}}`, `{"error": "text"}`, lists of these, `{"object": "error", ...}`.
    """
    if isinstance(body, list):
        listed = (read_error(item) for item in body[:10] if isinstance(item, dict))
        return next((found for found in listed if found), None)
    fields = mapping(body)
    error = fields.get("error")
    if error:
        return _worded(error)
    if fields.get("object") == "error" or fields.get("type") == "error":
        return _worded(fields)
    return None


def error_of_status(body: object, status: int) -> ApiError:
    """The error of an answer that has a failing status: there is one, whatever the body says."""
    if found := read_error(body):
        return found
    fields = mapping(body[0] if isinstance(body, list) and body else body)
    return _worded(fields) if fields else ApiError(None, f"HTTP {status}")


def text_error(text: str, status: int, kind: str | None = None) -> ApiError:
    """The error of a body that is not JSON: its first words."""
    words = " ".join(text[:LONGEST].split())
    return ApiError(kind, words or f"HTTP {status} without a body")


def _worded(error: Any) -> ApiError:
    if not isinstance(error, dict):
        return ApiError(None, text_of(error)[:LONGEST] or dumps(error)[:LONGEST])
    return ApiError(_type(error), _message(error)[:LONGEST], dict(error))


def _type(error: Mapping[str, Any]) -> str | None:
    for key in ("type", "status", "code", "__type"):
        value = error.get(key)
        if value is not None and not isinstance(value, bool | dict | list):
            return str(value)
    return None


def _message(error: Mapping[str, Any]) -> str:
    for key in ("message", "Message", "detail", "details", "error", "errors", "msg"):
        value = error.get(key)
        if isinstance(value, str) and value:
            return value
        if value and isinstance(value, dict | list):
            return dumps(value)
    return dumps(error)
