"""`anthropic.batches`: POST /v1/messages/batches, and the lines of GET .../batches/ID/results.

Every result is a choice of its own; usage is their sum. Source:
https://docs.anthropic.com/en/api/creating-message-batches
"""

from llmproxy_core.model import Json, Message, Part, Request, Response, Usage, mapping, text_of
from llmproxy_core.providers.anthropic_messages import AnthropicMessages, read_usage
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, count, items
from llmproxy_core.providers.settings import session_hints

SHOWN = 100
"""Requests of a batch whose messages are told."""
MESSAGES = AnthropicMessages()
COUNTERS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


class AnthropicBatches:
    def request(self, body: Body, path: str) -> Request:
        listed = items(body.get("requests"))
        first = MESSAGES.request(mapping(listed[0].get("params")), path) if listed else Request()
        messages: list[Message] = []
        for one in listed[:SHOWN]:
            inner = MESSAGES.request(mapping(one.get("params")), path)
            named = Part("other", f"request {text_of(one.get('custom_id'))}")
            messages += [Message("system", [named, *inner.system]), *inner.messages]
        if len(listed) > SHOWN:
            messages.append(Message("system", [Part("other", f"{len(listed) - SHOWN} more")]))
        return Request(
            model=first.model,
            messages=messages,
            tools=first.tools,
            parameters={**first.parameters, "requests": len(listed)},
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        result = event.get("result")
        if isinstance(result, dict):
            _result(text_of(event.get("custom_id")), result, max(0, into.n_events - 1), into)
            into.closed = True
        elif event.get("type") == "message_batch":
            _batch(event, into)
            into.closed = True
        elif error := read_error(event):
            into.error = error
            into.closed = True
        else:
            into.unknown_event(text_of(event.get("type")) or "without result")


def _batch(batch: Body, into: Assembler) -> None:
    into.id = text_of(batch.get("id")) or None
    if status := text_of(batch.get("processing_status")):
        into.finish(status)
    counts = mapping(batch.get("request_counts")).items()
    told = [f"{number} {state}" for state, n in counts if (number := count(n))]
    into.part(Part("other", ", ".join(told) or "no requests"))


def _result(id: str, result: Body, choice: int, into: Assembler) -> None:
    kind = text_of(result.get("type"))
    if kind != "succeeded":
        into.finish(kind, choice)
        if error := read_error(mapping(result.get("error"))):
            into.part(Part("other", f"{id}: {error.message}"), choice)
        return
    one = Assembler()
    MESSAGES.answer(mapping(result.get("message")), one)
    said = one.response()
    into.model = into.model or said.model
    _copy(said, choice, into)
    if said.usage:
        into.usage = _sum(into.usage, said.usage)


def _copy(said: Response, choice: int, into: Assembler) -> None:
    into.choice(choice)
    if said.reasoning:
        into.add("reasoning", said.reasoning, choice)
    if said.text:
        into.add("text", said.text, choice)
    for call in said.tool_calls:
        key = ("call", into.written)
        into.call(key, call.name, call.id, choice)
        into.add("tool_call", call.arguments, choice, key)
    for reason in said.finish_reasons:
        into.finish(reason, choice)


def _sum(before: Usage | None, one: Usage) -> Usage:
    """`raw` has the counters of all results added up."""
    told, added = mapping(before.raw if before else None), mapping(one.raw)
    raw: dict[str, Json] = {
        name: (count(told.get(name)) or 0) + (count(added.get(name)) or 0)
        for name in COUNTERS
        if name in told or name in added
    }
    return read_usage(raw)
