"""`openai.realtime`: one response of a realtime session; also of Azure's voice live and xAI.

What is said aloud is read from its transcripts. The session's model, tools and instructions come
in earlier frames, which are repeated at the head of each request.
Source: https://platform.openai.com/docs/api-reference/realtime-server-events
"""

from typing import Any
from urllib.parse import parse_qs

from llmproxy_core.model import ApiError, Message, Part, Request, Tool, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler, Key
from llmproxy_core.providers.format import Body, attachment, count, items
from llmproxy_core.providers.frames import filled
from llmproxy_core.providers.openai_responses import OpenAIResponses
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset(
    {"id", "object", "instructions", "tools", "expires_at", "client_secret", "input", "output"}
)
TEXTS = (
    "response.text.delta",
    "response.output_text.delta",
    "response.audio_transcript.delta",
    "response.output_audio_transcript.delta",
)
ARGUMENTS = "response.function_call_arguments.delta"
HEARD = "conversation.item.input_audio_transcription.completed"
HEARD_MOST = 64
QUIET = ("conversation.", "input_audio_buffer.", "output_audio_buffer.", "rate_limits.", "session.")
QUIET_WITHIN = ("audio", "content_part", "mcp_", "animation", "output_item", ".done", "dtmf")
SESSION = ("session.created", "session.updated", "session.update")
RESPONSES = OpenAIResponses()


class OpenAIRealtime:
    def request(self, body: Body, path: str) -> Request:
        frames = items(body.get("frames"))
        said = [mapping(frame.get("data")) for frame in frames]
        told = [frame.get("session") for frame in said if text_of(frame.get("type")) in SESSION]
        session = filled(*told)
        asked = [f.get("response") for f in said if text_of(f.get("type")) == "response.create"]
        turn = filled(*asked)
        fields = filled(session, turn)
        query = parse_qs(path.partition("?")[2])
        model = text_of(fields.get("model")) or (query.get("model") or query.get("deployment"))
        return Request(
            model=model[0] if isinstance(model, list) else model,
            stream=True,
            system=_instructions(fields.get("instructions")),
            messages=_messages(frames) + _items(turn.get("input")),
            tools=[_tool(tool) for tool in items(fields.get("tools"))],
            parameters=settings(fields, NOT_SETTINGS),
            session_hints=session_hints({**fields, "session_id": session.get("id")}),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        """Every answer is a stream; the last event has all of it."""
        if body.get("object") == "realtime.response":
            _closing(body, {}, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type"))
        if kind in TEXTS:
            into.add("text", text_of(event.get("delta")), key=_key(event, "content_index"))
        elif kind == ARGUMENTS:
            into.add("tool_call", text_of(event.get("delta")), key=_key(event))
        elif kind == "response.output_item.added":
            _added(event, into)
        elif kind == "response.done":
            _closing(mapping(event.get("response")), event, into)
        elif kind == "response.created":
            into.choice()
            into.id = text_of(mapping(event.get("response")).get("id")) or into.id
        elif kind in SESSION:
            into.model = text_of(mapping(event.get("session")).get("model")) or into.model
        elif kind == HEARD:
            into.part(Part("audio", text_of(event.get("transcript")), "heard"))
        elif kind == "error":
            into.error = read_error(event)
            into.closed = True
        elif not _quiet(kind):
            into.unknown_event(kind or "without type")


def _quiet(kind: str) -> bool:
    if kind in ("ping", "response.in_progress") or kind.startswith(QUIET):
        return True
    return kind.startswith("response.") and any(word in kind for word in QUIET_WITHIN)


def _key(event: Body, inner: str = "") -> Key:
    """xAI leaves the index of an item out of some events, nobody its id."""
    item = event.get("item_id", event.get("output_index"))
    item = item if isinstance(item, str | int) else ""
    part = event.get(inner)
    return (item, part if isinstance(part, int) else 0) if inner else item


def _added(event: Body, into: Assembler) -> None:
    item = mapping(event.get("item"))
    if item.get("type") == "function_call":
        key = text_of(item.get("id")) or _key(event)
        into.call(key, text_of(item.get("name")), text_of(item.get("call_id")) or None)


def _closing(response: Body, event: Body, into: Assembler) -> None:
    """The last event repeats the whole answer, unless it was broken off before it said a word."""
    into.closed = True
    into.choice()
    into.id = text_of(response.get("id")) or into.id
    into.model = text_of(response.get("model")) or into.model
    output = [item for item in items(response.get("output")) if _says(item)]
    if output:
        heard = [part for part in into.response().parts if part.name == "heard"]
        into.forget()
        into.choice()
        for part in heard[:HEARD_MOST]:
            into.part(part)
        for index, item in enumerate(output):
            _item(item, index, into)
    usage = response.get("usage") or event.get("usage")
    if isinstance(usage, dict):
        into.usage = read_usage(usage)
    details = mapping(response.get("status_details"))
    if status := text_of(response.get("status")):
        into.finish(text_of(details.get("reason")) or status)
    if details.get("error"):
        into.error = read_error(details)
    elif status == "failed":
        into.error = ApiError(None, "the response failed")


def _says(item: Body) -> bool:
    return item.get("type") != "message" or bool(items(item.get("content")))


def _item(item: Body, index: int, into: Assembler) -> None:
    """One whole entry of `output`: those of `openai.responses`, and messages that were spoken."""
    if item.get("type") != "message":
        response = {"output": [item], "status": None}
        if item.get("type") == "function_call":
            into.call(index, text_of(item.get("name")), text_of(item.get("call_id")) or None)
            into.add("tool_call", text_of(item.get("arguments")), key=index)
        else:
            RESPONSES.answer(response, into)
        return
    for at, part in enumerate(items(item.get("content"))):
        text = text_of(part.get("text")) or text_of(part.get("transcript"))
        into.add("text", text, key=(index, at))


def read_usage(usage: Body) -> Usage:
    """Input includes cached tokens, and both include what was spoken."""
    inputs = mapping(usage.get("input_token_details", usage.get("input_tokens_details")))
    outputs = mapping(usage.get("output_token_details", usage.get("output_tokens_details")))
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=count(inputs.get("cached_tokens")),
        reasoning_tokens=count(outputs.get("reasoning_tokens")),
        raw=dict(usage),
    )


def _instructions(value: Any) -> list[Part]:
    return [Part("text", value)] if isinstance(value, str) and value else []


def _messages(frames: list[Body]) -> list[Message]:
    """What the client put into the conversation, in order; sound as one part for each stretch."""
    found: list[Message] = []
    sound = 0
    for frame in frames:
        data = mapping(frame.get("data"))
        kind = text_of(data.get("type"))
        if kind == "input_audio_buffer.append":
            sound += len(text_of(data.get("audio")))
        elif kind == "conversation.item.create":
            found += _items([data.get("item")])
        elif kind == HEARD:
            found.append(_heard(sound, text_of(data.get("transcript"))))
            sound = 0
    return [*found, _heard(sound)] if sound else found


def _heard(size: int, transcript: str = "") -> Message:
    parts = [Part("audio", attachment(mime="audio", size=size))] if size else []
    return Message("user", [*parts, Part("text", transcript)] if transcript else parts)


def _items(value: Any) -> list[Message]:
    """Items of a conversation: those of `openai.responses`, or a text, and sound."""
    found = RESPONSES.request({"input": value}, "").messages
    for item, message in zip(items(value), found, strict=not isinstance(value, str)):
        for at, part in enumerate(items(item.get("content"))):
            if part.get("type") in ("input_audio", "audio", "output_audio"):
                message.parts[at] = _sound(part)
    return found


def _sound(part: Body) -> Part:
    if transcript := text_of(part.get("transcript")):
        return Part("text", transcript)
    return Part("audio", attachment(mime="audio", size=len(text_of(part.get("audio")))))


def _tool(tool: Body) -> Tool:
    """Flat, as OpenAI has it, or within `function`, as xAI does."""
    inner = mapping(tool.get("function")) or tool
    kind = text_of(tool.get("type"))
    name = text_of(inner.get("name")) or text_of(inner.get("server_label")) or kind
    return Tool(name, text_of(inner.get("description")), kind not in ("", "function"))
