"""What is asked and what is answered, whichever wire format carries it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from llmproxy_core.model import ToolCall, mapping, text_of
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.prompts import Prompt

CREATED = 1_760_000_000
"""The simulated world stands still: the same question gets the same bytes."""
TEXT_TOOL = {"type": "string"}
"""The schema of custom tools: they take text, not an object."""


@dataclass(slots=True)
class Ask:
    """A request, read as far as the answer depends on it.

    `text` is what was said last; `tools` maps names to JSON schemas; `forced_tool` is the name of
    one the model has to call (or "" for any); `schema` is the JSON schema that the answer has to
    fit. `earlier` and `total` count characters, before the last message and in all. `repeated` are
    the fields of the request that an answer has again; `legacy` asks in a way that is outdated.
    `wants_json`: by a parameter. `most`: tokens that may be answered; None: it does not say.
    `advises`: it is a question to the advisor; `tells_cost`: the answer says what it costs, as
    OpenRouter's do.
    """

    model: str
    text: str
    stream: bool = False
    tools: dict[str, Any] = field(default_factory=dict)
    forced_tool: str | None = None
    answers_tool: bool = False
    thinks: bool = False
    include_usage: bool = False
    choices: int = 1
    schema: Any = None
    earlier: int = 0
    total: int = 0
    repeated: dict[str, Any] = field(default_factory=dict)
    legacy: bool = False
    wants_json: bool = False
    most: int | None = None
    advises: bool = False
    tells_cost: bool = False


@dataclass(slots=True)
class Answer:
    """`key` is a hex hash of the request, the stuff of ids. Tokens: input includes those that were read
    from a cache and those that were written to it. `ending` "length": at the limit of tokens."""

    key: str
    text: list[str]
    reasoning: list[str]
    tools: list[ToolCall]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    written_tokens: int = 0
    ending: Literal["stop", "length"] = "stop"


class Named(NamedTuple):
    """A name of a client's tool, and where in the JSON of a request it stands."""

    place: str
    name: str


class Format(Protocol):
    """One wire format of the provider's side. Stateless.

    `content_type` is that of a stream, `longest_name` what the name of a tool may have at most.
    """

    content_type: str
    longest_name: int

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        """Wherever the request names a tool that is not the provider's own."""
        ...

    def read(self, body: Mapping[str, Any], path: str) -> Ask: ...

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """As the provider caches it."""
        ...

    def whole(self, ask: Ask, answer: Answer) -> Any:
        """The JSON of an answer that is not streamed."""
        ...

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        """The events of a streamed answer, each as it is on the wire."""
        ...

    def error(self, status: int, message: str) -> Any:
        """The JSON of a refusal."""
        ...

    def error_event(self, message: str) -> bytes:
        """What this provider sends when it fails inside a stream."""
        ...


def sse(data: Any, event: str | None = None) -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {compact(data)}\n\n".encode()


def content_text(content: Any) -> str:
    """Of a string or a list of text blocks, in any provider's spelling.

    What agents put around a person's words is left out: `<system-reminder>…`.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [text for part in content if (text := text_of(mapping(part).get("text")))]
    return "\n".join([text for text in texts if not text.startswith("<")] or texts)


def size(value: Any) -> int:
    """Characters a value takes as JSON: what tokens are guessed from."""
    return len(compact(value))
