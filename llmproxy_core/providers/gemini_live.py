"""`gemini.live`: one turn of a session of the Live API, of Gemini and of Vertex AI.

What is said aloud is read from its transcripts. The model, the tools and the instructions come in
the `setup`, which is repeated at the head of each request.
Source: https://ai.google.dev/api/live
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, items
from llmproxy_core.providers.frames import filled
from llmproxy_core.providers.gemini import Gemini, pick, read_usage

GEMINI = Gemini()
QUIET = frozenset(
    {
        "setupComplete",
        "setup_complete",
        "sessionResumptionUpdate",
        "session_resumption_update",
        "goAway",
        "go_away",
        "toolCallCancellation",
        "tool_call_cancellation",
        "voiceActivity",
        "voiceActivityDetectionSignal",
        "usageMetadata",
        "usage_metadata",
    }
)


class GeminiLive:
    def request(self, body: Body, path: str) -> Request:
        said = [mapping(frame.get("data")) for frame in items(body.get("frames"))]
        setup = filled(*(frame.get("setup") for frame in said))
        request = GEMINI.request({**setup, "contents": None}, "")
        request.model = text_of(setup.get("model")).rpartition("models/")[2] or None
        request.stream = True
        request.messages = _messages(said)
        return request

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        content, call = pick(event, "serverContent", "server_content"), _calls(event)
        usage = pick(event, "usageMetadata", "usage_metadata")
        if isinstance(usage, dict):
            into.usage = read_usage({**mapping(into.usage and into.usage.raw), **usage})
        if isinstance(content, dict):
            _content(content, into)
        for function in call:
            GEMINI.event("", _candidate([{"functionCall": function}]), into)
        if call:
            into.finish("toolCall")
            into.closed = True
        elif error := read_error(event):
            into.error = error
            into.closed = True
        elif not isinstance(content, dict) and not any(key in QUIET for key in event):
            into.unknown_event(next(iter(event), "empty"))


def _calls(event: Body) -> list[Body]:
    call = mapping(pick(event, "toolCall", "tool_call"))
    return items(pick(call, "functionCalls", "function_calls"))


def _candidate(parts: list[Any]) -> Body:
    return {"candidates": [{"content": {"parts": parts}}]}


def _content(content: Body, into: Assembler) -> None:
    """Sound itself is left out: its transcript says the same."""
    turn = mapping(pick(content, "modelTurn", "model_turn"))
    parts = [part for part in items(turn.get("parts")) if not _is_sound(part)]
    into.choice()
    if parts:
        GEMINI.event("", _candidate(parts), into)
    spoken = mapping(pick(content, "outputTranscription", "output_transcription"))
    if text := text_of(spoken.get("text")):
        into.add("text", text, key="spoken")
    heard = mapping(pick(content, "inputTranscription", "input_transcription"))
    if text := text_of(heard.get("text")):
        into.part(Part("audio", text, "heard"))
    if content.get("interrupted") is True:
        into.finish("interrupted")
    if pick(content, "turnComplete", "turn_complete") is True:
        reason = pick(content, "turnCompleteReason", "turn_complete_reason")
        into.finish(text_of(reason) or ("" if into.finished() else "turnComplete"))
        into.closed = True


def _is_sound(part: Body) -> bool:
    data = mapping(pick(part, "inlineData", "inline_data"))
    return str(pick(data, "mimeType", "mime_type") or "").startswith("audio/")


def _messages(said: list[Body]) -> list[Message]:
    """What the client said, in order; sound and pictures as one part for each stretch."""
    found: list[Message] = []
    stretch = _Stretch()
    for frame in said:
        given = mapping(pick(frame, "realtimeInput", "realtime_input"))
        heard = mapping(pick(frame, "serverContent", "server_content"))
        stretch.add(given)
        stretch.heard(mapping(pick(heard, "inputTranscription", "input_transcription")))
        turns = pick(mapping(pick(frame, "clientContent", "client_content")), "turns", "turns")
        results = mapping(pick(frame, "toolResponse", "tool_response"))
        answers = items(pick(results, "functionResponses", "function_responses"))
        if turns or answers:
            found += stretch.end()
            found += GEMINI.request({"contents": turns}, "").messages
        if answers:
            parts = [{"functionResponse": answer} for answer in answers]
            contents = [{"role": "function", "parts": parts}]
            found += GEMINI.request({"contents": contents}, "").messages
    return found + stretch.end()


class _Stretch:
    """What was sent in real time, until something else is said."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._texts: list[str] = []

    def add(self, given: Body) -> None:
        blobs = items(pick(given, "mediaChunks", "media_chunks"))
        for blob in (*blobs, mapping(given.get("audio")), mapping(given.get("video"))):
            if data := text_of(blob.get("data")):
                mime = text_of(pick(blob, "mimeType", "mime_type"))
                self._sizes[mime] = self._sizes.get(mime, 0) + len(data)
        self._texts.append(text_of(given.get("text")))

    def heard(self, transcript: Body) -> None:
        self._texts.append(text_of(transcript.get("text")))

    def end(self) -> list[Message]:
        parts = [
            Part("image" if mime.startswith(("image", "video")) else "audio", shown)
            for mime, size in self._sizes.items()
            if (shown := attachment(mime=mime, size=size))
        ]
        if text := "".join(self._texts):
            parts.append(Part("text", text))
        self._sizes, self._texts = {}, []
        return [Message("user", parts)] if parts else []
