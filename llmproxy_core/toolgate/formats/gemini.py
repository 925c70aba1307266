"""`gemini`, of the Gemini API, Vertex AI and Code Assist; and `gemini.live`.

A call is a part of a content and comes whole, unless its arguments are streamed (Vertex): then
pieces say `willContinue`. Why it ended does not tell of calls.
Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/live,
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
"""

from typing import Any

from llmproxy_core.model import text_of
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members
from llmproxy_core.toolgate.formats.spoken import Spoken

CALLS = ("functionCall", "function_call")
GOES_ON = ("willContinue", "will_continue")
PIECES = ("partialArgs", "partial_args")
VALUES = ("stringValue", "string_value", "numberValue", "number_value", "boolValue", "bool_value")


class Gemini:
    words: tuple[bytes, ...] = (b"functionCall", b"function_call")

    def __init__(self) -> None:
        self._spoken: dict[int, Spoken] = {}
        self._overheard = Spoken(rb'"text"\s*+:\s*+"[^"]')
        self._pieces: dict[int, Call] = {}
        """Whose piece it is, by the `id` of the part."""
        self._going: dict[int, Call] = {}
        """The call of each candidate that goes on."""

    def overhear(self, text: bytes) -> None:
        self._overheard.hear(text)

    def hear(self, told: Fields) -> Heard:
        heard = Heard()
        for at, candidate in enumerate(_candidates(told)):
            for part in _parts(candidate):
                self._hear(at, part, heard)
            reason = candidate.get("finishReason", candidate.get("finish_reason"))
            if reason is not None and (call := self._going.pop(at, None)):
                heard.ended.append(call)
        heard.passes = not heard.calls and not heard.ended
        return heard

    def changed(self, told: Fields) -> list[Fields]:
        inner = members(told.get("response")) or told
        candidates = listed(inner.get("candidates"))
        changed = False
        for at, candidate in enumerate(_candidates(told)):
            ours = self._without(candidate, at)
            if ours is not candidate:
                candidates[at], changed = ours, True
        if not changed:
            return [told]
        ours = {**inner, "candidates": candidates}
        return [ours if inner is told else {**told, "response": ours}]

    def _hear(self, at: int, part: Fields, heard: Heard) -> None:
        if part.get("text") and not part.get("thought"):
            self._of(at).tell()
        told = _call(part)
        if told is None:
            return
        call = self._going.pop(at, None) or Call("", text_of(told.get("id")))
        call.name = call.name or text_of(told.get("name"))
        call.add(_arguments(told))
        self._pieces[id(part)] = call
        if not heard.calls or heard.calls[-1] is not call:
            heard.calls.append(call)
        if any(told.get(key) for key in GOES_ON):
            self._going[at] = call
        elif call.said is None:
            call.hear_all(call.arguments or "{}")
            heard.ended.append(call)

    def _without(self, candidate: Fields, at: int) -> Fields:
        parts: list[Any] = []
        changed = False
        content = members(candidate.get("content"))
        for part in _parts(candidate):
            call = self._pieces.get(id(part)) if _call(part) is not None else None
            if call is None or not call.denied:
                parts.append(part)
                continue
            changed = True
            if not call.told:
                call.told = True
                parts.append({"text": self._of(at).say(call.said or "")})
        if not changed:
            return candidate
        return {**candidate, "content": {**content, "parts": parts or [{"text": ""}]}}

    def _of(self, at: int) -> Spoken:
        spoken = self._spoken.setdefault(at, Spoken(b"(?!)"))
        if self._overheard.before:
            spoken.tell()
        return spoken


class Live:
    """A frame of calls: what is denied becomes what the model says. The client gives no result of
    it, so the provider is told instead, see `answers`."""

    words: tuple[bytes, ...] = (b"toolCall", b"tool_call")

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def overhear(self, text: bytes) -> None:
        return

    def hear(self, told: Fields) -> Heard:
        self._calls = []
        for one in _called(told)[1]:
            fields = members(one)
            call = Call(text_of(fields.get("name")), text_of(fields.get("id")))
            call.add(fields.get("args") or "{}")
            self._calls.append(call)
        return Heard(self._calls, self._calls)

    def changed(self, told: Fields) -> list[Fields]:
        denied = [call for call in self._calls if call.denied]
        if not denied:
            return [told]
        key, calls = _called(told)
        left = [one for one, call in zip(calls, self._calls, strict=True) if not call.denied]
        parts = [{"text": call.said} for call in denied]
        said: Fields = {"serverContent": {"modelTurn": {"role": "model", "parts": parts}}}
        inner = "functionCalls" if "functionCalls" in told[key] else "function_calls"
        return [said, {**told, key: {**told[key], inner: left}}] if left else [said]


def _called(told: Fields) -> tuple[str, list[Any]]:
    key = "toolCall" if "toolCall" in told else "tool_call"
    call = members(told.get(key))
    return key, listed(call.get("functionCalls", call.get("function_calls")))


def refused(call: Call) -> Fields:
    """What a client would say of a call that went wrong."""
    response = {"id": call.id, "name": call.name, "response": {"error": call.said}}
    return {"toolResponse": {"functionResponses": [response]}}


def _candidates(told: Fields) -> list[Fields]:
    inner = members(told.get("response")) or told
    return [members(one) for one in listed(inner.get("candidates"))]


def _parts(candidate: Fields) -> list[Fields]:
    parts = members(candidate.get("content")).get("parts")
    return [parts] if isinstance(parts, dict) else [members(one) for one in listed(parts)]


def _call(part: Fields) -> Fields | None:
    found = (part[key] for key in CALLS if isinstance(part.get(key), dict))
    return next(found, None)


def _arguments(told: Fields) -> str:
    if args := told.get("args"):
        return dumps(args)
    pieces = next((listed(told[key]) for key in PIECES if key in told), [])
    return "".join(
        str(one[key]) for one in map(members, pieces) for key in VALUES if one.get(key) is not None
    )
