"""`openai.responses`, streamed, whole, and over a WebSocket: a call is an item of the output.

A message takes its place, event by event: that of its beginning, of its text, of its end. Ids of
items are not the same in all events of some vendors, so that a call is known by its place first.
Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members

CALLS = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "shell_call": "action",
    "computer_call": "action",
    "apply_patch_call": "operation",
}
"""What the client is to run, and where it stands what."""
ADDED, DONE = "response.output_item.added", "response.output_item.done"
WHOLE = {
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
}
ITEM_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
NUMBER = "sequence_number"


class Responses:
    words: tuple[bytes, ...] = (b"_call",)

    def __init__(self) -> None:
        self._calls: dict[int | str, Call] = {}
        self._named: dict[str, Call] = {}
        self._open: dict[int | str, Call] = {}
        """Those that may not be decided yet."""
        self._late: set[int | str] = set()
        """Other items that began while a call was held: they keep their place."""
        self._number = -1

    def overhear(self, text: bytes) -> None:
        return

    def hear(self, told: Fields) -> Heard:
        kind = text_of(told.get("type"))
        if kind in (ADDED, DONE):
            return self._item(told, kind == DONE)
        if key := WHOLE.get(kind):
            heard = self._piece(told)
            for call in heard.calls:
                call.name = text_of(told.get("name")) or call.name
                call.hear_all(told.get(key))
                heard.ended = [call] if call.said is None else []
            return heard
        if "output" in told or kind in ITEM_ENDS:
            return self._answer(told)
        heard = self._piece(told)
        for call in heard.calls:
            call.add(told.get("delta"))
        return heard

    def changed(self, told: Fields) -> list[Fields]:
        kind = text_of(told.get("type"))
        call = self._call(told)
        if call is not None and call.denied:
            sent = self._instead(kind, told, call)
        elif "output" in told:
            sent = [self._without(told)]
        elif isinstance(answer := told.get("response"), dict) and answer.get("output"):
            ours = self._without(answer)
            sent = [told if ours is answer else {**told, "response": ours}]
        else:
            sent = [told]
        return [self._numbered(one) for one in sent]

    def _item(self, told: Fields, done: bool) -> Heard:
        item = members(told.get("item"))
        key = _key(told)
        if not called(item):
            if self._held and not done:
                self._late.add(key)
            return Heard(passes=key not in self._late)
        call = self._calls.get(key)
        if call is None:
            call = self._keep(key, _read(item))
        elif done:
            call.hear_all(item.get(CALLS[text_of(item.get("type"))]))
        call.name = name_of(item)
        return Heard([call], [call] if done and call.said is None else [])

    def _piece(self, told: Fields) -> Heard:
        if call := self._call(told):
            return Heard([call])
        placed = "output_index" in told or "item_id" in told
        return Heard(passes=placed and _key(told) not in self._late)

    def _answer(self, told: Fields) -> Heard:
        """The whole answer, mostly with calls that have been told before."""
        output = told.get("output", members(told.get("response")).get("output"))
        for at, item in enumerate(listed(output)):
            if called(members(item)) and self._known(at, item) is None:
                self._keep(at, _read(item))
        found = [*self._calls.values()]
        return Heard(found, [call for call in found if call.said is None])

    def _instead(self, kind: str, told: Fields, call: Call) -> list[Fields]:
        """The events of a message, where those of a call have been."""
        place = {key: told[key] for key in ("output_index", NUMBER) if key in told}
        id = message_id(text_of(call.id))
        sent: list[Fields] = []
        if not call.begun:
            call.begun = True
            begun = message(id, "", "in_progress")
            sent.append({"type": ADDED, **place, "item": begun})
        if kind != ADDED and not call.told:
            call.told = True
            sent += _said({**place, "item_id": id, "content_index": 0}, call.said or "")
        if kind == DONE:
            sent.append({"type": DONE, **place, "item": message(id, call.said or "")})
        return sent

    def _without(self, told: Fields) -> Fields:
        output = listed(told.get("output"))
        changed = False
        for at, item in enumerate(output):
            call = self._known(at, item) if called(members(item)) else None
            if call is not None and call.denied:
                output[at] = message(message_id(call.id), call.said or "")
                changed = True
        return {**told, "output": output} if changed else told

    def _numbered(self, told: Fields) -> Fields:
        """Numbers go up by one at least: a message has more events than some calls."""
        number = told.get(NUMBER)
        if not isinstance(number, int):
            return told
        self._number = max(number, self._number + 1)
        return told if number == self._number else {**told, NUMBER: self._number}

    def _call(self, told: Fields) -> Call | None:
        return self._calls.get(_key(told))

    def _keep(self, key: int | str, call: Call) -> Call:
        self._calls[key] = self._open[key] = call
        self._named.setdefault(call.id, call)
        return call

    def _known(self, at: int, item: Fields) -> Call | None:
        """By what it says; its place may be another one."""
        id = text_of(item.get("call_id")) or text_of(item.get("id"))
        return self._named.get(id) if id else self._calls.get(at)

    @property
    def _held(self) -> bool:
        for key in [key for key, call in self._open.items() if call.said is not None]:
            del self._open[key]
        return bool(self._open)


def called(item: Fields) -> bool:
    """Is it for the client to run?"""
    if item.get("type") == "shell_call":
        place = text_of(members(item.get("environment")).get("type"))
        return not place.startswith("container")
    return text_of(item.get("type")) in CALLS


def name_of(item: Fields) -> str:
    return text_of(item.get("name")) or text_of(item.get("type")).removesuffix("_call")


def message_id(id: str) -> str:
    """OpenAI takes only such ids for messages, should the client send it again."""
    return "msg_" + (id.partition("_")[2] or id)


def message(id: str, said: str, status: str = "completed") -> Fields:
    content = [_part(said)] if said else []
    return {
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _part(said: str) -> Fields:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": []}


def _said(place: Fields, said: str) -> list[Fields]:
    text = "response.output_text."
    return [
        {"type": "response.content_part.added", **place, "part": _part("")},
        {"type": text + "delta", **place, "delta": said, "logprobs": []},
        {"type": text + "done", **place, "text": said, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _part(said)},
    ]


def _read(item: Fields) -> Call:
    call = Call(name_of(item), text_of(item.get("call_id")) or text_of(item.get("id")))
    call.kind = text_of(item.get("type"))
    call.add(item.get(CALLS[text_of(item.get("type"))]))
    return call


def _key(told: Fields) -> int | str:
    place = told.get("output_index")
    if isinstance(place, int):
        return place
    return text_of(told.get("item_id")) or text_of(members(told.get("item")).get("id"))
