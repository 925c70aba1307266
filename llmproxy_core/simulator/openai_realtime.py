"""OpenAI Realtime in text: sessions with tools, items, responses, over a WebSocket.

Source: platform.openai.com/docs/api-reference/realtime-server-events.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.exchange import Answer, Ask, Named, content_text, size
from llmproxy_core.simulator.judge import offence
from llmproxy_core.simulator.openai_responses import OpenAIResponses, named_tool, named_tools
from llmproxy_core.simulator.websocket import Socket

RESPONSES = OpenAIResponses()
LONGEST_NAME = 64


class RealtimeSocket(Socket):
    """A session: what it was told stays in force."""

    def open(self, *_: str, **__: str) -> Any:
        self.items: list[Mapping[str, Any]] = []
        self.count = 0
        model = self.get_query_argument("model", "gpt-realtime")
        self.session: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_simulated",
            "model": model,
            "output_modalities": ["text"],
            "tools": [],
            "tool_choice": "auto",
        }
        return self.play(iter([self._tell("session.created", session=self.session)]), self._all())

    def _all(self) -> Any:
        return self.wanted(str(self.session["model"]))

    async def respond(self, body: dict[str, Any], raw: bytes) -> None:
        wanted = self._all()
        if complaint := offence(_names(body), LONGEST_NAME, wanted):
            raise ValueError(complaint)
        match body.get("type"):
            case "session.update":
                self.session |= mapping(body.get("session"))
                events = iter([self._tell("session.updated", session=self.session)])
            case "conversation.item.create":
                events = self._added({"id": f"item_{len(self.items)}", **mapping(body.get("item"))})
            case "response.create":
                ask = self._ask(mapping(body.get("response")))
                prompt = prompts.responses({**self.session, "input": self.items})
                headers = self.request.headers
                reply = self.world.answer(ask, prompt, raw, headers, wanted)
                events = self._response(ask, reply)
            case kind:
                raise ValueError(f"unknown type {kind!r}")
        await self.play(events, wanted)

    def error(self, message: str) -> dict[str, Any]:
        error = {"type": "invalid_request_error", "code": None, "message": message, "param": None}
        return self._tell("error", error=error)

    def _ask(self, response: Mapping[str, Any]) -> Ask:
        """A response may have its own tools."""
        last = self.items[-1] if self.items else {}
        fields = {**self.session, **response}
        offered = RESPONSES.read(
            {"tools": fields["tools"], "tool_choice": fields["tool_choice"]}, ""
        )
        return Ask(
            model=str(self.session["model"]),
            text=content_text(last.get("content")) or str(last.get("output") or ""),
            tools=offered.tools,
            forced_tool=offered.forced_tool,
            answers_tool=last.get("type") == "function_call_output",
            earlier=size(self.items[:-1]),
            total=size(self.items) + size(fields["tools"]),
        )

    def _added(self, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        before = self.items[-1]["id"] if self.items else None
        self.items.append(item)
        yield self._tell("conversation.item.added", previous_item_id=before, item=item)
        yield self._tell("conversation.item.done", previous_item_id=before, item=item)

    def _response(self, ask: Ask, said: Answer) -> Iterator[dict[str, Any]]:
        id = f"resp_{said.key}"
        response = {"object": "realtime.response", "id": id, "status": "in_progress", "output": []}
        yield self._tell("response.created", response=response)
        output = []
        for index, (item, pieces) in enumerate(_items(said)):
            at = {"response_id": id, "output_index": index}
            yield self._tell("response.output_item.added", **at, item=item | _empty(item))
            yield from self._added(item)
            where = at | {"item_id": item["id"]}
            yield from (self._tell(kind, **where, **rest) for kind, rest in _said(item, pieces))
            yield self._tell("response.output_item.done", **at, item=item)
            output.append(item)
        done = {"status": "completed", "output": output, "usage": _usage(said)}
        yield self._tell("response.done", response=response | done)

    def _tell(self, kind: str, **data: Any) -> dict[str, Any]:
        self.count += 1
        return {"type": kind, "event_id": f"event_{self.count}", **data}


def _names(body: Mapping[str, Any]) -> Iterator[Named]:
    item = mapping(body.get("item"))
    yield from named_tool(item, "item")
    for key in ("session", "response"):
        place = mapping(body.get(key))
        yield from named_tools(place, f"{key}.")
        yield from named_tool(mapping(place.get("tool_choice")), f"{key}.tool_choice")
        for index, said in enumerate(place.get("input") or []):
            yield from named_tool(mapping(said), f"{key}.input[{index}]")


def _items(said: Answer) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Each item as it is in the end, and the pieces it comes in."""
    for tool in said.tools:
        item = {"id": f"item_{tool.id}", "object": "realtime.item", "type": "function_call"}
        item |= {"status": "completed", "name": tool.name, "call_id": f"call_{tool.id}"}
        text = tool.arguments
        pieces = [text[i : i + 8] for i in range(0, len(text), 8)]
        yield item | {"arguments": text}, pieces
    if not said.tools:
        part = {"type": "output_text", "text": "".join(said.text)}
        item = {"id": f"item_{said.key}", "object": "realtime.item", "type": "message"}
        yield item | {"status": "completed", "role": "assistant", "content": [part]}, said.text


def _empty(item: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"arguments": "", "content": []}
    return {key: value for key, value in empty.items() if key in item} | {"status": "in_progress"}


def _said(item: Mapping[str, Any], pieces: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if item["type"] == "function_call":
        call = {"call_id": item["call_id"]}
        for piece in pieces:
            yield "response.function_call_arguments.delta", call | {"delta": piece}
        done = call | {"name": item["name"], "arguments": item["arguments"]}
        yield "response.function_call_arguments.done", done
        return
    (part,) = item["content"]
    at = {"content_index": 0}
    yield "response.content_part.added", at | {"part": part | {"text": ""}}
    for piece in pieces:
        yield "response.output_text.delta", at | {"delta": piece}
    yield "response.output_text.done", at | {"text": part["text"]}
    yield "response.content_part.done", at | {"part": part}


def _usage(said: Answer) -> dict[str, Any]:
    return {
        "total_tokens": said.input_tokens + said.output_tokens,
        "input_tokens": said.input_tokens,
        "output_tokens": said.output_tokens,
        "input_token_details": {"cached_tokens": said.cached_tokens, "text_tokens": 0},
        "output_token_details": {"text_tokens": said.output_tokens, "audio_tokens": 0},
    }
