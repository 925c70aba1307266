"""What an LLM call is, in our words: the types every other module speaks.

Names follow the OpenTelemetry GenAI semantic conventions where those have one.
Plain dataclasses with slots: the worker makes some of them for every call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

type PartKind = Literal[
    "text",
    "reasoning",
    "refusal",
    "tool_call",
    "tool_result",
    "image",
    "audio",
    "document",
    "other",
]
type DeltaKind = Literal["text", "reasoning", "refusal", "tool_call"]
type Role = Literal["system", "user", "assistant", "tool"]


@dataclass(slots=True)
class Part:
    """One piece of a message.

    `text` is what a person reads: prose, the arguments of a tool call (JSON text as sent), the
    output of a tool result, or a short description of something that is not text.
    `name` and `id` are set for tool calls and results.
    """

    kind: PartKind
    text: str = ""
    name: str | None = None
    id: str | None = None


@dataclass(slots=True)
class Message:
    role: Role
    parts: list[Part]


@dataclass(slots=True)
class Tool:
    """A tool offered to the model. `hosted` tools are run by the provider itself."""

    name: str
    description: str = ""
    hosted: bool = False


@dataclass(slots=True)
class ToolCall:
    """A call of a client's tool. `arguments` is JSON text exactly as the model wrote it."""

    id: str | None
    name: str
    arguments: str


@dataclass(slots=True)
class Usage:
    """Tokens, normalised as in OpenTelemetry's GenAI conventions.

    `input_tokens` includes cached ones, `output_tokens` includes reasoning. None: not told.
    `raw` is the provider's own object, verbatim.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: Json = None


@dataclass(slots=True)
class ApiError:
    """An error as the provider worded it; `raw` is its own object, verbatim, where it sent one."""

    type: str | None
    message: str
    raw: dict[str, Json] | None = field(default=None, compare=False)


@dataclass(slots=True)
class Request:
    """A request body, read. `parameters` are the scalar settings (temperature, max tokens ...)."""

    model: str | None = None
    stream: bool = False
    system: list[Part] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    parameters: dict[str, Json] = field(default_factory=dict)
    session_hints: dict[str, str] = field(default_factory=dict)
    """Ids found in the body by which clients tell sessions apart, e.g. `prompt_cache_key`."""


@dataclass(slots=True)
class Response:
    """An answer, read: streamed or not, the result is the same.

    `texts` has one entry per choice. `tool_calls` are those of choice 0, client tools only;
    `server_tool_calls` names the tools that the provider ran itself.
    `finish_reasons` are the provider's own words, one per choice.
    `incomplete`: a stream that ended without its closing event.
    `unknown_events` counts stream events that this version does not know; they are never fatal.
    `n_embeddings`: vectors in the answer; None where the format has none.
    """

    id: str | None = None
    model: str | None = None
    texts: list[str] = field(default_factory=list)
    reasoning: str = ""
    refusal: str | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    server_tool_calls: list[str] = field(default_factory=list)
    finish_reasons: list[str] = field(default_factory=list)
    usage: Usage | None = None
    error: ApiError | None = None
    n_events: int = 0
    incomplete: bool = False
    unknown_events: dict[str, int] = field(default_factory=dict)
    n_embeddings: int | None = None
    parts: list[Part] = field(default_factory=list)
    """Choice 0 in the order in which it was written, for display."""

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""


@dataclass(slots=True)
class Delta:
    """A piece of a streamed answer, as soon as it can be shown. `choice` counts from 0."""

    kind: DeltaKind
    text: str
    choice: int = 0


@dataclass(slots=True)
class Cost:
    """USD, with where the price came from: `exact`, `prefix` (a similar model name) or `unknown`."""

    usd: Decimal | None
    source: str
    confidence: Literal["exact", "prefix", "unknown"]


type Headers = list[tuple[str, str]]
"""In the order and spelling of the wire, repeats kept."""


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header; `name` in lower case."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def text_of(value: Any) -> str:
    """`value` if it is a string, else an empty one: providers send null where one expects text."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one: foreign payloads may hold anything anywhere."""
    return value if isinstance(value, dict) else {}
