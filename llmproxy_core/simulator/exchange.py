"""What is asked and what is answered, whichever wire format carries it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import ToolCall, mapping, text_of
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.prose import ANSWERS, THOUGHTS

CREATED = 1_760_000_000
"""The simulated world stands still: the same question gets the same bytes."""
TOLD = re.compile(r"\bcall (\S+) with (\{.*\})", re.DOTALL)
"""How a prompt asks for a tool call: `call Bash with {"command": "ls"}`."""


@dataclass(slots=True)
class Ask:
    """A request, read as far as the answer depends on it.

    `text` is what was said last; `tools` maps names to JSON schemas; `forced_tool` is the name of
    one the model has to call (or "" for any); `schema` is the JSON schema that the answer has to
    fit. `earlier` and `total` count characters, before the last message and in all.
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


@dataclass(slots=True)
class Answer:
    """`key` is a hex hash of the request, the stuff of ids. Tokens: input includes cached ones."""

    key: str
    text: list[str]
    reasoning: list[str]
    tool: ToolCall | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int


class Format(Protocol):
    """One wire format of the provider's side. Stateless."""

    def read(self, body: Mapping[str, Any], path: str) -> Ask: ...

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


def answer(ask: Ask, body: bytes, wanted: Controls) -> Answer:
    """The same for the same body, always."""
    key = content_hash(body).hex()
    tool = _tool_call(ask, key, wanted)
    thoughts = THOUGHTS[_choice(ask.text, len(THOUGHTS))]
    thinks = ask.thinks if wanted.reasoning is None else wanted.reasoning
    text = "" if tool else _text(ask, wanted)
    pieces = _pieces(text, wanted.chunks)
    reasoning = _pieces(thoughts if thinks else "", None)
    reasoning_tokens = _tokens(len(thoughts)) if thinks else 0
    written = len(text) + (len(tool.arguments) + len(tool.name) if tool else 0)
    input_tokens = _tokens(ask.total)
    # providers cache whole blocks; a small one lets short demo sessions show it, too
    cached = ask.earlier // 4 // 32 * 32 if wanted.cached is None else wanted.cached
    return Answer(
        key=key,
        text=pieces,
        reasoning=reasoning,
        tool=tool,
        input_tokens=max(input_tokens, cached),
        cached_tokens=cached,
        output_tokens=_tokens(written) + reasoning_tokens,
        reasoning_tokens=reasoning_tokens,
    )


def sse(data: Any, event: str | None = None) -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {compact(data)}\n\n".encode()


def compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


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


def _tokens(characters: int) -> int:
    return max(1, characters // 4)


def _text(ask: Ask, wanted: Controls) -> str:
    if wanted.echo:
        return ask.text
    if ask.schema is not None:
        return compact(sample(ask.schema))
    text = ANSWERS[_choice(ask.text, len(ANSWERS))]
    if wanted.size is not None:
        text = (text + "\n\n") * (wanted.size // len(text) + 1)
        text = text[: wanted.size]
    return text


def _choice(text: str, count: int) -> int:
    return content_hash(text.encode("utf-8", "replace"))[0] % count


def _pieces(text: str, count: int | None) -> list[str]:
    """Cut into `count` pieces, or else as models do: a word or two at a time."""
    if not text:
        return []
    step = max(1, -(-len(text) // count)) if count else max(6, len(text) // 2000)
    return [text[i : i + step] for i in range(0, len(text), step)]


def _tool_call(ask: Ask, key: str, wanted: Controls) -> ToolCall | None:
    if not ask.tools or wanted.tool is False:
        return None
    if not ask.answers_tool and (told := _told(ask)):
        return ToolCall(key[:24], *told)
    named = next((name for name in ask.tools if name.lower() in ask.text.lower()), None)
    asked = named is not None or "tool" in ask.text.lower() or bool(wanted.tool)
    if ask.forced_tool is None and (ask.answers_tool or not asked):
        return None
    name = ask.forced_tool or named or next(iter(ask.tools))
    return ToolCall(key[:24], name, compact(sample(ask.tools.get(name))))


def _told(ask: Ask) -> tuple[str, str] | None:
    """The tool and the arguments that the prompt names; some tools take any text, not JSON."""
    if not (found := TOLD.search(ask.text)) or found[1] not in ask.tools:
        return None
    name, arguments = found.groups()
    if mapping(ask.tools[name]).get("type") != "string":
        try:
            json.loads(arguments)
        except ValueError:
            return None
    return name, arguments


def sample(schema: Any, name: str = "") -> Any:
    """A value that a JSON schema (OpenAPI spelling of types, too) allows, the same each time."""
    schema = mapping(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
    match str(kind).lower():
        case "object":
            properties = mapping(schema.get("properties"))
            wanted = schema.get("required") or list(properties)
            return {key: sample(properties.get(key), key) for key in wanted}
        case "array":
            return [sample(schema.get("items"), name)]
        case "integer":
            return 3
        case "number":
            return 2.5
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return {"city": "Paris", "location": "Paris", "path": "README.md"}.get(name, "sample")
