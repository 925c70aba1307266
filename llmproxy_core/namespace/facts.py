"""What a request itself says of whose call it is: the model, ids of sessions, the folder of work.

Only what is needed is decoded: of a body of 100 KB that takes a tenth of a millisecond. Time and
memory are linear in the body. What cannot be read, compressed bodies among it, says nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from llmproxy_core.model import mapping, text_of
from llmproxy_core.namespace.folder import folder_in
from llmproxy_core.providers.form import is_form
from llmproxy_core.providers.model_path import model_in_path
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.repeated import repeats_outside
from llmproxy_core.providers.settings import HINTS, session_hints

LENIENT = 4 * 2**20
"""Bytes of a body that a strict parser refuses (half of a character), and that is read anyway."""
TURNS = 8
"""So many turns are read for the folder: agents tell it at the beginning of a conversation."""
LONGEST = 512
"""Characters of a name or an id."""
IDS = (*HINTS, "conversation", "metadata", "client_metadata")
PROMPTS = ("system", "instructions", "systemInstruction", "system_instruction")
CONVERSATIONS = ("messages", "input", "contents")
WRAPPERS = ("request", "response", "session", "setup")
"""What matters is within, in Google's Code Assist and in frames of WebSockets."""
MODEL = b'"model'
FORM_FIELD = b'name="model"\r\n\r\n'

type Top = Mapping[str, Any]
"""A body by its keys; the values are not decoded yet, but for a body that was hard to read."""


@dataclass(frozen=True, slots=True)
class Session:
    """`ids` that the body names, `folder` in which an agent works."""

    ids: list[str]
    folder: str | None = None


_top = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def model(path: str, body: bytes) -> str | None:
    """The model that is asked for, as the request names it; None where it does so twice."""
    in_path = model_in_path(path)
    if in_path and "/deployments/" not in path and model_in_path(path.partition("?")[0]):
        return in_path  # what Azure has there is a name of the customer's own
    if is_form(body):
        return _form_model(body) or in_path
    if (body.count(MODEL) > 1 or b"\\u00" in body) and repeats_outside(body, WRAPPERS):
        return in_path
    for part in reversed(_parts(body)):  # what is around is what a provider looks at first
        named = text_of(_value(part.get("model"))) or text_of(_value(part.get("modelId")))
        if named:
            return named.removeprefix("models/")[:LONGEST]
    return in_path


def session(body: bytes) -> Session:
    """What a body tells of its session."""
    parts = _parts(body)
    ids = dict.fromkeys(id for part in parts for id in _ids(part))
    folders = (folder_in(text) for part in parts for text in _prompts(part))
    return Session(list(ids), next((folder for folder in folders if folder), None))


def _parts(body: bytes) -> list[Top]:
    """What is within something else comes first."""
    top = _read(body)
    inner = [mapping(_value(top[key])) for key in WRAPPERS if key in top]
    return [*inner, top]


def _read(body: bytes) -> Top:
    try:
        return _top.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return mapping(parse(body)[0]) if len(body) <= LENIENT else {}


def _value(value: Any) -> Any:
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _ids(top: Top) -> Iterator[str]:
    values = {key: _value(top[key]) for key in IDS if key in top}
    if values:
        yield from session_hints(values).values()
        whole = text_of(mapping(values.get("metadata")).get("user_id"))
        if whole:
            yield whole[:LONGEST]


def _prompts(top: Top) -> Iterator[str]:
    """What an agent may say of its folder: instructions first, then how the conversation began."""
    for key in PROMPTS:
        if key in top:
            yield from _texts(_value(top[key]))
    for key in CONVERSATIONS:
        if key in top:
            yield from _said(top[key])


def _said(turns: Any) -> Iterator[str]:
    if isinstance(turns, msgspec.Raw):
        try:
            turns = _elements.decode(turns)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            turns = [turns]  # Responses takes a text, too
    first = [_value(turn) for turn in islice(turns if isinstance(turns, list) else [turns], TURNS)]
    instructed = ("system", "developer")
    yield from (text for turn in first if _role(turn) in instructed for text in _texts(turn))
    yield from (text for turn in first if _role(turn) == "user" for text in _texts(turn))


def _role(turn: Any) -> str:
    return text_of(mapping(turn).get("role")) or "user"


def _texts(value: Any, depth: int = 4) -> Iterator[str]:
    """The texts of a turn or a prompt; what tools answered is none."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, list):
        for one in value:
            yield from _texts(one, depth - 1)
    elif depth and isinstance(value, dict) and value.get("type") != "tool_result":
        for key in ("text", "content", "parts"):
            if key in value:
                yield from _texts(value[key], depth - 1)


def _form_model(body: bytes) -> str | None:
    at = body.find(FORM_FIELD)
    if at < 0:
        return None
    start = at + len(FORM_FIELD)
    value = body[start : start + LONGEST].partition(b"\r\n")[0]
    return value.decode("utf-8", "replace") or None
