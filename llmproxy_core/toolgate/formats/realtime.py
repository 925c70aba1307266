"""`openai.realtime`: a call is an item of a conversation, which events of it tell as well.

Source: https://platform.openai.com/docs/api-reference/realtime-server-events
"""

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members

CALL = "function_call"
ITEMS = ("conversation.item.added", "conversation.item.created", "conversation.item.done")
ADDED, DONE = "response.output_item.added", "response.output_item.done"
PIECE, WHOLE = "response.function_call_arguments.delta", "response.function_call_arguments.done"
OVER = "response.done"
BETA = "conversation.item.created"


class Realtime:
    words: tuple[bytes, ...] = (b"function_call",)

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        """Of the response under way, by the id of the item."""
        self._spoken: set[str] = set()
        self._beta = False

    def overhear(self, text: bytes) -> None:
        self._beta = self._beta or b'"conversation.item.created"' in text

    def hear(self, told: Fields) -> Heard:
        kind = text_of(told.get("type"))
        self._beta = self._beta or kind == BETA
        if kind in (ADDED, DONE, *ITEMS):
            return self._item(kind, members(told.get("item")))
        if kind == OVER:
            return self._over(members(told.get("response")))
        call = self._calls.get(text_of(told.get("item_id")))
        if call is None or kind not in (PIECE, WHOLE):
            return Heard(passes=True)
        if kind == PIECE:
            call.add(told.get("delta"))
            return Heard([call])
        call.hear_all(told.get("arguments"))
        return Heard([call], [call] if call.said is None else [])

    def changed(self, told: Fields) -> list[Fields]:
        kind = text_of(told.get("type"))
        if kind == OVER:
            answer = members(told.get("response"))
            output = [self._replaced(one, "completed") for one in listed(answer.get("output"))]
            return [{**told, "response": {**answer, "output": output}}]
        item = members(told.get("item"))
        id = text_of(item.get("id")) or text_of(told.get("item_id"))
        call = self._calls.get(id)
        if call is None or not call.denied:
            return [told]
        texts: list[Fields] = []
        if kind not in (ADDED, *ITEMS[:2]) and id not in self._spoken:
            self._spoken.add(id)
            texts = self._texts(id, told, call.said or "")
        if not item:
            return texts
        done = kind in (DONE, ITEMS[2])
        ours = {**told, "item": self._replaced(item, "completed" if done else "in_progress")}
        return [*texts, ours]

    def _item(self, kind: str, item: Fields) -> Heard:
        id = text_of(item.get("id"))
        if item.get("type") != CALL:
            return Heard(passes=True)
        call = self._calls.get(id)
        if call is None:
            if kind in ITEMS and item.get("status") != "in_progress":
                return Heard(passes=True)  # the client's own word of an earlier call
            call = self._calls[id] = Call("", text_of(item.get("call_id")))
        call.name = text_of(item.get("name")) or call.name
        if kind == DONE:
            call.hear_all(item.get("arguments"))
        return Heard([call], [call] if kind == DONE and call.said is None else [])

    def _over(self, answer: Fields) -> Heard:
        found: list[Call] = []
        for item in map(members, listed(answer.get("output"))):
            if item.get("type") == CALL and text_of(item.get("id")) not in self._calls:
                call = Call(text_of(item.get("name")), text_of(item.get("call_id")))
                call.add(item.get("arguments"))
                self._calls[text_of(item.get("id"))] = call
        found += self._calls.values()
        return Heard(found, [call for call in found if call.said is None])

    def _replaced(self, item: Fields, status: str) -> Fields:
        """The same id: later items say after which one they come."""
        call = self._calls.get(text_of(item.get("id")))
        if call is None or not call.denied:
            return item
        part = {"type": "text" if self._beta else "output_text", "text": call.said}
        return {
            "id": item.get("id"),
            "object": "realtime.item",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part] if status == "completed" else [],
        }

    def _texts(self, id: str, told: Fields, said: str) -> list[Fields]:
        text = "response.text." if self._beta else "response.output_text."
        known = ("event_id", "response_id", "output_index")
        place = {key: told[key] for key in known if key in told}
        place |= {"item_id": id, "content_index": 0}
        return [
            {"type": "response.content_part.added", **place, "part": {"type": "text", "text": ""}},
            {"type": text + "delta", **place, "delta": said},
            {"type": text + "done", **place, "text": said},
            {"type": "response.content_part.done", **place, "part": {"type": "text", "text": said}},
        ]
