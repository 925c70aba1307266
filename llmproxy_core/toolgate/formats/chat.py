"""`openai.chat`, and of everybody who speaks like it: calls are lists beside the text of a choice.

Pieces of calls may come in any order, and texts among them: a call is whole when its choice is
finished, and texts go on. The index of a call is the place in the list that clients make.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from bisect import bisect_left, insort
from typing import Any

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members
from llmproxy_core.toolgate.formats.spoken import Spoken

CALLS, LEGACY = "tool_calls", "function_call"
REASONS = (CALLS, LEGACY)
ENDED = "stop"
ENDS = ("finish_reason", "native_finish_reason")

type Key = tuple[int, int | str]
"""The choice, and the index of the call in it."""


class Chat:
    words: tuple[bytes, ...] = (b"tool_calls", b"function_call")

    def __init__(self) -> None:
        self._calls: dict[Key, list[Call]] = {}
        self._pieces: dict[int, Call] = {}
        """Whose piece it is, by the `id` of the object."""
        self._gone: dict[int, list[int]] = {}
        """The indexes of calls that were denied, by choice, in order."""
        self._spoken: dict[int, Spoken] = {}
        self._overheard = Spoken(rb'"content"\s*+:\s*+"[^"]')

    def overhear(self, text: bytes) -> None:
        self._overheard.hear(text)

    def hear(self, told: Fields) -> Heard:
        heard, calls = Heard(), dict[int, Call]()
        speaks = False
        for choice, number in _choices(told):
            said = _said(choice)
            for at, call in enumerate(listed(said.get(CALLS))):
                piece = self._piece(number, members(call), at, "message" in choice)
                calls[id(piece)] = piece
            if function := members(said.get(LEGACY)):
                piece = self._piece(number, function, LEGACY, False)
                calls[id(piece)] = piece
            speaks = speaks or bool(said.get("content"))
            if speaks:
                self._of(number).tell()
            if choice.get("finish_reason") is not None or "message" in choice:
                heard.ended += [one for one in self._all(number) if one.said is None]
        heard.calls = [*calls.values()]
        if not heard.calls and not heard.ended:
            heard.passes = any(_speaks(_said(choice)) for choice, _ in _choices(told))
        elif speaks and heard.calls:
            heard.ahead, heard.rest = _split(told)
        return heard

    def changed(self, told: Fields) -> list[Fields]:
        choices = listed(told.get("choices"))
        changed = False
        for at, (choice, number) in enumerate(_choices(told)):
            if (ours := self._choice(choice, number)) is not choice:
                choices[at], changed = ours, True
        if not changed:
            return [told]
        empty = not told.get("usage") and not any(map(_says, choices))
        return [] if empty else [{**told, "choices": choices}]

    def _piece(self, choice: int, told: Fields, at: int | str, whole: bool) -> Call:
        """`at`: the place in the list, where a call has no index of its own. One with another id
        is another call, whatever its index."""
        index = told.get("index")
        key = (choice, index if isinstance(index, int) and not whole else at)
        function = told if at == LEGACY else members(told.get("function") or told.get("custom"))
        id_ = text_of(told.get("id"))
        calls = self._calls.setdefault(key, [])
        if not calls or (id_ and calls[-1].id and id_ != calls[-1].id):
            calls.append(Call("", id_))
        call = self._pieces[id(told)] = calls[-1]
        if (name := text_of(function.get("name"))) != call.name:  # some repeat it, clients join it
            call.name += name
        call.id = call.id or id_
        call.add(function.get("arguments", function.get("input")))
        return call

    def _all(self, choice: int) -> list[Call]:
        return [call for (of, _), calls in self._calls.items() if of == choice for call in calls]

    def _choice(self, choice: Fields, number: int) -> Fields:
        """A choice without the calls that were denied, and with what is said in their place."""
        where = "message" if "message" in choice else "delta"
        said, whole = _said(choice), where == "message"
        ours = self._without(said, number, whole)
        changed: Fields = {} if ours is said else {where: ours}
        ends = [key for key in ENDS if choice.get(key) in REASONS]
        if ends and all(call.denied for call in self._all(number)):
            changed |= dict.fromkeys(ends, ENDED)
        return {**choice, **changed} if changed else choice

    def _without(self, said: Fields, number: int, whole: bool) -> Fields:
        calls = listed(said.get(CALLS))
        left: list[Any] = []
        texts: list[str] = []
        for told in calls:
            call, index = self._pieces.get(id(told)), members(told).get("index")
            if call is not None and call.denied:
                texts += self._text(call, number, index)
            elif isinstance(index, int) and not whole:
                left.append(_moved(told, index - bisect_left(self._gone.get(number, []), index)))
            else:
                left.append(told)
        legacy = self._pieces.get(id(said[LEGACY])) if said.get(LEGACY) else None
        gone = legacy is not None and legacy.denied
        if legacy is not None and legacy.denied:
            texts += self._text(legacy, number, None)
        same = len(left) == len(calls) and all(a is b for a, b in zip(left, calls, strict=True))
        return said if same and not gone else self._put(said, left, texts, number, gone)

    def _put(
        self, said: Fields, left: list[Any], texts: list[str], number: int, legacy: bool
    ) -> Fields:
        gone = {CALLS} if not left else set()
        ours = {k: v for k, v in said.items() if k not in gone | ({LEGACY} if legacy else set())}
        if left:
            ours[CALLS] = left
        for text in texts:
            before = ours.get("content")
            new = self._of(number).say(text)
            if isinstance(before, list):  # Mistral's lists of chunks
                ours["content"] = [*before, {"type": "text", "text": new}]
            else:
                ours["content"] = (before or "") + new
        return ours

    def _text(self, call: Call, number: int, index: Any) -> list[str]:
        """Once, where its first piece was; those after it move up."""
        if call.told:
            return []
        call.told = True
        if isinstance(index, int) and all(
            one.denied for one in self._calls.get((number, index), ())
        ):
            insort(self._gone.setdefault(number, []), index)
        return [call.said or ""]

    def _of(self, number: int) -> Spoken:
        spoken = self._spoken.setdefault(number, Spoken(b"(?!)"))
        if self._overheard.before:
            spoken.tell()
        return spoken


def _choices(told: Fields) -> list[tuple[Fields, int]]:
    found = []
    for at, one in enumerate(listed(told.get("choices"))):
        choice = members(one)
        index = choice.get("index")
        place = at if "message" in choice else 0
        found.append((choice, index if isinstance(index, int) else place))
    return found


def _said(choice: Fields) -> Fields:
    return members(choice.get("message") if "message" in choice else choice.get("delta"))


def _moved(call: Fields, index: int) -> Fields:
    return call if call["index"] == index else {**call, "index": index}


def _split(told: Fields) -> tuple[Fields, Fields]:
    """An event with both, as one with its texts and one with its calls."""
    texts: list[Fields] = []
    calls: list[Fields] = []
    for choice, _ in _choices(told):
        said = _said(choice)
        speaks = {k: v for k, v in said.items() if k not in (CALLS, LEGACY)}
        does = {k: said[k] for k in (CALLS, LEGACY) if k in said}
        texts.append({**choice, "delta": speaks, "finish_reason": None})
        calls.append({**choice, "delta": does})
    ahead = {key: value for key, value in told.items() if key != "usage"}
    return {**ahead, "choices": texts}, {**told, "choices": calls}


def _says(choice: Fields) -> bool:
    """Does a choice have anything in it but its role?"""
    if any(choice.get(key) is not None for key in ENDS) or "message" in choice:
        return True
    return _speaks(_said(choice))


def _speaks(said: Fields) -> bool:
    return any(value for key, value in said.items() if key != "role")
