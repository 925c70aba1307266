"""Where a WebSocket session is cut into exchanges: one frame at a time, one exchange a response.

The proxy keeps the frames of a session in order and asks about each:

* Between two turns, frames wait. The waiting ones become the *request* when a turn begins: with a
  client's frame that `begins_turn`, or with a server's that `begins_answer` (voice: nobody asked).
  A server's frame that begins an answer is the first of the *response*.
* All frames after that, of both sides, are the response, up to and with the server's that
  `ends_turn`. A client's frame that begins a turn while the open one is still unanswered joins its
  request; after an answer has begun it waits, and begins the next turn when this one has ended.
* What later turns need of earlier frames, `carry` names: the last frame of each name is repeated,
  marked `"carried": true`, at the head of every later request.

Sources: https://platform.openai.com/docs/api-reference/realtime-client-events and
.../realtime-server-events, https://ai.google.dev/api/live, Codex for `openai.responses.websocket`.

The functions see every frame on its way: they look for words first, and parse what has them.
"""

import re
from typing import Any

from llmproxy_core.model import Json, mapping, text_of
from llmproxy_core.providers.parsing import parse

RESPONSES = "openai.responses.websocket"
REALTIME = "openai.realtime"
LIVE = "gemini.live"
WIRES = frozenset({RESPONSES, REALTIME, LIVE})

TYPE = re.compile(
    rb'\s*\{\s*(?:"event_id"\s*:\s*"[^"\\]{0,128}"\s*,\s*)?"type"\s*:\s*"([\w.]{1,128})"'
)
KEY = re.compile(rb'\s*\{\s*"(\w{1,64})"\s*:')
ESCAPED = re.compile(rb"\\u00[2-7]")
"""An ASCII character as nobody needs to write it."""
NEAR = 2**16
"""Bytes of a frame in which a type may be told that way."""
WARM_UP = re.compile(rb'"generate"\s*:\s*false')

ASKS = (b"response.create",)
BEGINS = (b"response.created",)
ENDS = (
    b"response.done",
    b"response.completed",
    b"response.failed",
    b"response.incomplete",
    b"response.cancelled",
)
ERRORS = (b"error",)
SESSION = (b"session.created", b"session.updated")
UPDATE = (b"session.update",)
OTHER_ERRORS = (
    "conversation_already_has_active_response",
    "input_audio_buffer",
    "item_",
    "response_cancel",
    "session_update",
)
"""How the codes of errors begin that refuse something other than the response under way."""
OTHER_PARAMETERS = ("session.", "item.", "audio")


def begins_turn(wire: str, data: bytes) -> bool:
    """Does this frame of the client ask for a response? A warm-up (`"generate": false`) does not."""
    if wire == LIVE:
        return _live_asks(data)
    return wire in WIRES and _is(ASKS, data) and not (wire == RESPONSES and _warms_up(data))


def begins_answer(wire: str, data: bytes) -> bool:
    """Does this frame of the server begin a response, or belong to one that has begun?

    Where there is no turn, it begins one.
    """
    if wire == LIVE:
        return _live_answers(data)
    return wire == REALTIME and _is(BEGINS, data)


def ends_turn(wire: str, data: bytes) -> bool:
    """Is this frame of the server the last of a response, or the refusal of one?"""
    if wire == LIVE:
        return _live_ends(data)
    if wire not in WIRES:
        return False
    return _is(ENDS, data) or (_is(ERRORS, data) and (wire == RESPONSES or _refuses(data)))


def carry(wire: str, data: bytes) -> str | None:
    """The name under which later turns need this frame, of either side; None: they do not.

    A frame replaces the earlier one of its name: one session has three names at most.
    """
    if wire == LIVE:
        return "setup" if _first(data) == b"setup" else None
    if wire == REALTIME:
        if _is(SESSION, data):
            return "session"
        return "update" if _is(UPDATE, data) else None
    return "warm-up" if wire == RESPONSES and _is(ASKS, data) and _warms_up(data) else None


def _is(types: tuple[bytes, ...], data: bytes) -> bool:
    """Is the frame's `type` one of these? Mostly it stands in front."""
    if told := TYPE.match(data):
        return told[1] in types
    if not (any(b'"%b"' % kind in data for kind in types) or ESCAPED.search(data, 0, NEAR)):
        return False
    return text_of(_fields(data).get("type")).encode() in types


def is_empty(wire: str, data: bytes) -> bool:
    """Is this frame of the client a warm-up that says nothing and offers no tool yet?"""
    if wire != RESPONSES or not _warms_up(data):
        return False
    fields = _fields(data)
    return not any(fields.get(key) for key in ("input", "tools", "instructions"))


def _warms_up(data: bytes) -> bool:
    return WARM_UP.search(data) is not None and _fields(data).get("generate") is False


def _refuses(data: bytes) -> bool:
    """Most errors of a realtime session are about something else, and it goes on."""
    error = mapping(_fields(data).get("error"))
    code, parameter = text_of(error.get("code")), text_of(error.get("param"))
    return not code.startswith(OTHER_ERRORS) and not parameter.startswith(OTHER_PARAMETERS)


def _live_asks(data: bytes) -> bool:
    kind = _first(data)
    if kind in (b"toolResponse", b"tool_response"):
        return True
    if kind in (b"realtimeInput", b"realtime_input"):
        return b'"text"' in data or b'"activityEnd"' in data or b'"activity_end"' in data
    if kind not in (b"clientContent", b"client_content"):
        return False
    content = _fields(data).get(kind.decode())
    return _pick(content, "turnComplete", "turn_complete") is True


def _live_answers(data: bytes) -> bool:
    words = (b'"modelTurn"', b'"model_turn"', b'"outputTranscription"', b'"output_transcription"')
    if not any(word in data for word in words):
        return _calls(data)
    content = _pick(_fields(data), "serverContent", "server_content")
    said = mapping(_pick(content, "outputTranscription", "output_transcription"))
    return bool(_pick(content, "modelTurn", "model_turn") or said.get("text"))


def _live_ends(data: bytes) -> bool:
    if b'"turnComplete"' not in data and b'"turn_complete"' not in data:
        return _calls(data)
    content = _pick(_fields(data), "serverContent", "server_content")
    return _pick(content, "turnComplete", "turn_complete") is True or _calls(data)


def _calls(data: bytes) -> bool:
    """Gemini waits for the results of its calls: they are the next turn."""
    if b'"toolCall"' not in data and b'"tool_call"' not in data:
        return False
    return bool(_pick(_fields(data), "toolCall", "tool_call"))


def _first(data: bytes) -> bytes:
    """The first key: the client's messages of Gemini have only one."""
    told = KEY.match(data)
    return told[1] if told else b""


def _fields(data: bytes) -> Any:
    value: Json = parse(data)[0]
    return mapping(value)


def _pick(fields: Any, camel: str, snake: str) -> Any:
    found = mapping(fields)
    return found.get(camel, found.get(snake))
