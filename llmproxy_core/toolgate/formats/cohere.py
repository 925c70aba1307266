"""`cohere.chat`, of both versions.

The second has an event for the start, the pieces and the end of each call. The first tells pieces
in chunks, then all calls whole, and then the answer again; calls have no ids there.
Sources: https://docs.cohere.com/v2/docs/streaming, https://docs.cohere.com/v1/reference/chat-stream
"""

from bisect import bisect_left, insort
from typing import Any

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members
from llmproxy_core.toolgate.formats.spoken import GAP, Spoken

REASON, ENDED = "TOOL_CALL", "COMPLETE"
START, DELTA, END = "tool-call-start", "tool-call-delta", "tool-call-end"
CHUNK, ALL, LAST = "tool-calls-chunk", "tool-calls-generation", "stream-end"


class Cohere:
    words = (b"tool-call", b"tool_call")

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        """By their place among all calls."""
        self._spoken = Spoken(rb'"content-start"|"text-generation"|"text"\s*+:\s*+"[^"]')
        self._told: set[int] = set()
        self._gone: list[int] = []
        """The indexes of calls that were denied, in order."""

    def overhear(self, text: bytes) -> None:
        self._spoken.hear(text)

    def hear(self, told: Fields) -> Heard:
        kind = told.get("type") or told.get("event_type")
        if kind in (START, DELTA, END):
            return self._block(str(kind), told)
        if kind == CHUNK:
            return self._chunk(told)
        if kind == ALL:
            return self._all(listed(told.get("tool_calls")))
        if kind in ("message-end", LAST):
            ended = [call for call in self._calls.values() if call.said is None]
            return Heard(ended=ended) if kind != LAST or ended else self._last(told)
        if kind is None and "finish_reason" in told:
            return self._all(_listed_in(told))
        if kind in ("content-start", "text-generation"):
            self._spoken.tell()
        return Heard(passes=True)

    def changed(self, told: Fields) -> list[Fields]:
        kind = told.get("type") or told.get("event_type")
        if kind in (START, DELTA, END):
            return self._block_without(str(kind), told)
        if kind == CHUNK:
            index = _index(members(told.get("tool_call_delta")))
            call = self._calls.get(index) if "tool_call_delta" in told else None
            return self._instead(index, call) if call and call.denied else [told]
        if kind == ALL:
            texts = [x for at, call in self._calls.items() for x in self._instead(at, call)]
            left = self._left(told.get("tool_calls"))
            return [*texts, {**told, "tool_calls": left}] if left else texts
        if kind == "message-end":
            return [{**told, "delta": self._finished(members(told.get("delta")))}]
        if kind == LAST:
            return [{**told, "response": self._whole_without(members(told.get("response")))}]
        if kind is None and "finish_reason" in told:
            return [self._finished(self._whole_without(told))]
        return [told]

    def _block(self, kind: str, told: Fields) -> Heard:
        index = _index(told)
        said = members(members(members(told.get("delta")).get("message")).get("tool_calls"))
        function = members(said.get("function"))
        if kind == START:
            self._calls[index] = Call(text_of(function.get("name")), text_of(said.get("id")))
        call = self._calls.get(index)
        if call is None:
            return Heard()
        call.add(function.get("arguments"))
        return Heard([call], [call] if kind == END and call.said is None else [])

    def _chunk(self, told: Fields) -> Heard:
        piece = members(told.get("tool_call_delta"))
        if not piece:
            self._spoken.tell()
            return Heard(passes=True)
        call = self._calls.setdefault(_index(piece), Call(""))
        call.name += text_of(piece.get("name"))
        call.add(piece.get("parameters"))
        return Heard([call])

    def _all(self, calls: list[Any]) -> Heard:
        """All calls of the answer, whole."""
        for at, one in enumerate(calls):
            fields = members(one)
            function = members(fields.get("function")) or fields
            call = self._calls.setdefault(at, Call("", text_of(fields.get("id"))))
            call.name = text_of(function.get("name")) or call.name
            call.hear_all(function.get("arguments", function.get("parameters")) or "{}")
        known = [*self._calls.values()]
        return Heard(known, [call for call in known if call.said is None])

    def _last(self, told: Fields) -> Heard:
        """The first version's answer once more, maybe with calls that no event has told."""
        return Heard() if self._calls else self._all(_listed_in(members(told.get("response"))))

    def _block_without(self, kind: str, told: Fields) -> list[Fields]:
        index = _index(told)
        call = self._calls.get(index)
        if call is None or not call.denied:
            gone = bisect_left(self._gone, index)
            return [{**told, "index": index - gone}] if gone else [told]
        if kind != START:
            return []
        insort(self._gone, index)
        return self._text_block(call.said or "")

    def _text_block(self, said: str) -> list[Fields]:
        index = len(self._told) + (1 if self._spoken.before else 0)
        self._told.add(index)
        start = {"message": {"content": {"type": "text", "text": ""}}}
        return [
            {"type": "content-start", "index": index, "delta": start},
            {
                "type": "content-delta",
                "index": index,
                "delta": {"message": {"content": {"text": said}}},
            },
            {"type": "content-end", "index": index},
        ]

    def _instead(self, index: int, call: Call) -> list[Fields]:
        """What the first version says in place of a call, once."""
        if not call.denied or index in self._told:
            return []
        self._told.add(index)
        text = self._spoken.say(call.said or "")
        return [{"is_finished": False, "event_type": "text-generation", "text": text}]

    def _left(self, calls: Any) -> list[Any]:
        denied = {at for at, call in self._calls.items() if call.denied}
        return [one for at, one in enumerate(listed(calls)) if at not in denied]

    def _whole_without(self, told: Fields) -> Fields:
        texts = [call.said or "" for call in self._calls.values() if call.denied]
        if isinstance(message := told.get("message"), dict):
            blocks = [{"type": "text", "text": text} for text in texts]
            content = [*listed(message.get("content")), *blocks]
            return {**told, "message": _with(message, self._left(message["tool_calls"]), content)}
        said = GAP.join([text for text in (text_of(told.get("text")), *texts) if text])
        ours = {**told, "text": said, "tool_calls": self._left(told.get("tool_calls"))}
        if turns := listed(told.get("chat_history")):
            last = members(turns[-1])
            if "tool_calls" in last:
                left = self._left(last["tool_calls"])
                turns[-1] = {**last, "message": said, "tool_calls": left}
                ours["chat_history"] = turns
        return ours

    def _finished(self, told: Fields) -> Fields:
        done = told.get("finish_reason") == REASON and all(c.denied for c in self._calls.values())
        return {**told, "finish_reason": ENDED} if done else told


def _with(message: Fields, calls: list[Any], content: list[Any]) -> Fields:
    ours = {key: value for key, value in message.items() if key != "tool_calls" or calls}
    return {**ours, "content": content, **({"tool_calls": calls} if calls else {})}


def _listed_in(told: Fields) -> list[Any]:
    return listed(members(told.get("message")).get("tool_calls", told.get("tool_calls")))


def _index(told: Fields) -> int:
    index = told.get("index")
    return index if isinstance(index, int) else 0
