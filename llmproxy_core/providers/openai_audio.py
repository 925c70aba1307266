"""`openai.audio`: POST /audio/speech, /audio/transcriptions and /audio/translations.

Sound is only told by what it is. Transcriptions come as forms; their answer is JSON, plain text
(subtitles, too) or a stream. Source: https://platform.openai.com/docs/api-reference/audio
"""

from llmproxy_core.model import Message, Part, Request, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, count, deployment
from llmproxy_core.providers.openai_images import uploaded
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"input", "instructions", "prompt", "file"})
DONE = ("transcript.text.done", "speech.audio.done")
QUIET = ("transcript.text.segment", "speech.audio.delta")


class OpenAIAudio:
    def request(self, body: Body, path: str) -> Request:
        parts = []
        for field in ("input", "prompt"):
            if text := text_of(body.get(field)):
                parts.append(Part("text", text))
        if file := mapping(body.get("file")):
            parts.append(uploaded("audio", file))
        guide = text_of(body.get("instructions"))
        return Request(
            model=text_of(body.get("model")) or deployment(path),
            stream=body.get("stream") in (True, "true") or body.get("stream_format") == "sse",
            system=[Part("text", guide)] if guide else [],
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.choice()
        if text := text_of(body.get("text")):
            into.add("text", text)
        _usage(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type")) or name
        if kind == "transcript.text.delta":
            into.add("text", text_of(event.get("delta")))
        elif kind in DONE:
            into.choice()
            _usage(event, into)
            into.closed = True
        elif error := read_error(event):
            into.error = error
            into.closed = True
        elif kind not in QUIET:
            into.unknown_event(kind or "without type")


def _usage(body: Body, into: Assembler) -> None:
    """Tokens, or only seconds: those stay in `raw`."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        read, written = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
        into.usage = Usage(read, written, raw=dict(usage))
