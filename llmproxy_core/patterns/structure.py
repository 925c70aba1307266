"""What a request says of the pattern it belongs to: its prompt, its instructions, how it is made.

A call's *prompt* is the newest text that its user wrote. The later steps of an agent have the same
prompt again: only a call whose `steps` is 0 asks it. What clients put around it by themselves
(`<system-reminder>` and the like) is left out. Works on what a wire format's reader has read, so
for all wires alike; only the shape of an answer that is asked for may need a look at the body.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from llmproxy_core.conversations.wrapping import unwrapped
from llmproxy_core.model import Headers, Json, Message, Part, Request, Role, header, mapping
from llmproxy_core.providers.frames import FRAMED, payload
from llmproxy_core.providers.operation import operation
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.settings import SESSION_HEADERS

if TYPE_CHECKING:
    from llmproxy_core.patterns.types import Structure

type Form = Literal["text", "json", "schema"]

LONGEST = 64_000
"""Characters of a text that are kept: half of them from its beginning, half from its end."""
MOST_TOOLS = 512
"""Names of tools that are kept."""
MOST_MESSAGES = 4_096
"""Messages, the newest, among which the user's is looked for."""
NEWEST_FRAMES = 8
"""Frames of a WebSocket in which a schema is looked for."""
NO_PROMPT = ("embed", "rerank", "moderations", "batches", "count_tokens", "input_tokens")
"""In the names of wires that ask a model nothing, or are many requests in one."""

TYPES = ("response_format.type", "output_format.type", "format", "format.type")
MIMES = ("responseMimeType", "response_mime_type")
FORMS: dict[Json, Form] = {
    "json_schema": "schema",
    "object": "schema",
    "json_object": "json",
    "json": "json",
    "application/json": "json",
}
SCHEMAS: dict[str, tuple[bytes, ...]] = {
    "text": (b'"json_schema"',),
    "response_format": (b'"schema"', b'"json_schema"'),
    "output_config": (b'"json_schema"',),
    "outputConfig": (b'"jsonSchema"',),
    "generationConfig": (b'"responseSchema"', b'"responseJsonSchema"'),
    "generation_config": (b'"response_schema"', b'"response_json_schema"'),
    "format": (b'"properties"',),
}
"""Where a body asks for answers of a schema, by the field and what stands in it."""
ENVELOPES = ("request", "response", "session")
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Facts:
    """One call, as patterns and their statistics see it. Texts are LONGEST characters at most.

    `user`: the newest text of its user, "" if there is none. `system`: its instructions, one
    blank line between parts. `tools`: the names that it offers, sorted. `roles`: messages of each
    role. `turn`: messages of the user that have text. `steps`: messages after the newest one of
    them; 0: this call is the first to ask it. `tool_results`: results of tools among those.
    `form`: what the answer must be. `session`: as the client names it.
    """

    wire: str
    operation: str
    user: str = ""
    system: str = ""
    tools: tuple[str, ...] = ()
    roles: Mapping[Role, int] = field(default_factory=dict)
    turn: int = 0
    steps: int = 0
    tool_results: int = 0
    form: Form = "text"
    model: str | None = None
    stream: bool = False
    parameters: Mapping[str, Json] = field(default_factory=dict)
    user_agent: str | None = None
    session: str | None = None

    @property
    def asks(self) -> bool:
        """Is this the call of its turn that counts as one prompt of a pattern?"""
        return bool(self.user) and self.steps == 0


def facts_of(wire: str, headers: Headers, request: Request, body: bytes = b"") -> Facts:
    """`request`: as `read_request` has it. `body`: decoded, where `form` must be certain.

    Raises nothing. Time and memory grow with the newest turn, not with the conversation, except
    for counting its roles.
    """
    messages = _messages(wire, request)
    text, after = newest(messages)
    roles: dict[Role, int] = {}
    for message in messages:
        roles[message.role] = roles.get(message.role, 0) + 1
    steps = messages[len(messages) - after :]
    return Facts(
        wire=wire,
        operation=operation(wire),
        user=shortened(text),
        system=shortened("\n\n".join(instructions(request, messages))),
        tools=tuple(sorted({tool.name for tool in request.tools[:MOST_TOOLS]})),
        roles=roles,
        turn=_turn(messages),
        steps=after,
        tool_results=sum(part.kind == "tool_result" for step in steps for part in step.parts),
        form=form_of(wire, request.parameters, body),
        model=request.model,
        stream=request.stream,
        parameters=request.parameters,
        user_agent=header(headers, "user-agent"),
        session=_session(headers, request),
    )


def prompts_of(wire: str, request: Request) -> tuple[str, str]:
    """`user` and `system` of the facts, and nothing else: what a proxy knows patterns by."""
    messages = _messages(wire, request)
    system = "\n\n".join(instructions(request, messages))
    return shortened(newest(messages)[0]), shortened(system)


def structure_of(calls: Collection[Facts]) -> "Structure":
    """How these calls are made, as `types.type_of` wants it."""
    from llmproxy_core.patterns.types import Structure  # a proxy tells no types

    most = max(1, len(calls))
    return Structure(
        tools=sum(bool(call.tools) for call in calls) / most,
        tool_results=sum(call.tool_results > 0 for call in calls) / most,
        schema=sum(call.form == "schema" for call in calls) / most,
    )


def shortened(text: str) -> str:
    """A text of LONGEST characters at most, with its beginning and its end."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[: half - 1]}\n{text[-half:]}"


def said(message: Message) -> str:
    """What the user wrote in a message, without what clients put around it."""
    texts = [part.text for part in message.parts if part.kind == "text"]
    kept = [shortened(text) for text in texts if text.strip()]
    return "\n".join(text for text in map(unwrapped, kept) if text.strip())


def form_of(wire: str, parameters: Mapping[str, Json], body: bytes = b"") -> Form:
    """What an answer must be: any text, JSON, or JSON of a schema."""
    told = [parameters.get(name) for name in TYPES + MIMES]
    forms = {FORMS[name] for name in told if isinstance(name, str) and name in FORMS}
    if "schema" in forms or any(_has_schema(one, envelopes=True) for one in _bodies(wire, body)):
        return "schema"
    return "json" if forms else "text"


def _messages(wire: str, request: Request) -> list[Message]:
    return [] if any(word in wire for word in NO_PROMPT) else request.messages


def newest(messages: list[Message]) -> tuple[str, int]:
    """The newest text of the user, and how many messages follow it."""
    for after, message in enumerate(reversed(messages[-MOST_MESSAGES:])):
        if message.role == "user" and (text := said(message)):
            return text, after
    return "", 0


def _turn(messages: list[Message]) -> int:
    return sum(
        message.role == "user" and any(part.kind == "text" for part in message.parts)
        for message in messages
    )


def instructions(request: Request, messages: list[Message]) -> Iterator[str]:
    """Those of their own place, and what stands as system messages before all others."""
    yield from _texts(request.system)
    for message in messages:
        if message.role != "system":
            return
        yield from _texts(message.parts)


def _texts(parts: list[Part]) -> Iterator[str]:
    yield from (part.text for part in parts if part.kind == "text" and part.text.strip())


def _session(headers: Headers, request: Request) -> str | None:
    for name in SESSION_HEADERS:
        if told := header(headers, name):
            return told[:200]
    hints = {key: id for key, id in request.session_hints.items() if key != "user"}
    return next(iter(hints.values()), None)


def _bodies(wire: str, body: bytes) -> Iterator[bytes]:
    """A body, or what the newest frames of a WebSocket say."""
    if wire not in FRAMED:
        if body:
            yield body
        return
    for line in body.strip().rsplit(b"\n", NEWEST_FRAMES)[-NEWEST_FRAMES:]:
        frame, _ = parse(line)
        yield payload(mapping(frame))


def _has_schema(body: bytes, *, envelopes: bool) -> bool:
    """Looks at the fields of the body only, whose values are not read."""
    try:
        fields: dict[str, Any] = _FIELDS.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return False
    for name, words in SCHEMAS.items():
        if name in fields and any(word in bytes(fields[name]) for word in words):
            return True
    inner = [bytes(fields[name]) for name in ENVELOPES if name in fields] if envelopes else []
    return any(_has_schema(one, envelopes=False) for one in inner)
