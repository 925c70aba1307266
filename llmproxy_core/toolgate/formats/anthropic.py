"""`anthropic.messages`: a call is a block of the content; what Anthropic runs itself passes.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from typing import Any

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members, number
from llmproxy_core.toolgate.formats.blocks import Blocks

CALL = "tool_use"
ENDED = "end_turn"


class Anthropic:
    words = (b"tool_use",)

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._whole: dict[int, Call] = {}

    def overhear(self, text: bytes) -> None:
        return

    def hear(self, told: Fields) -> Heard:
        kind, blocks, index = told.get("type"), self._blocks, number(told, "index")
        if kind == "message":
            return self._message(told)
        if kind == "content_block_start":
            block = members(told.get("content_block"))
            if block.get("type") != CALL:
                return blocks.other(index)
            call = Call(text_of(block.get("name")), text_of(block.get("id")))
            call.add(block.get("input"))
            return blocks.begin(index, call)
        if kind == "content_block_delta":
            heard, piece = blocks.piece(index), members(told.get("delta")).get("partial_json")
            if heard.calls and isinstance(piece, str):
                heard.calls[0].pieces.append(piece)
            return heard
        if kind == "content_block_stop":
            heard = blocks.end(index)
            for call in heard.ended:
                call.hear_all(call.arguments or "{}")
            return heard
        if kind in ("message_delta", "message_stop", "error"):
            return blocks.over()
        return Heard()

    def changed(self, told: Fields) -> list[Fields]:
        kind, call = told.get("type"), self._blocks.call(number(told, "index"))
        if kind == "message":
            return [self._message_without(told)]
        if kind == "content_block_start" and call and call.denied:
            return _text_block(told.get("index"), call.said or "")
        if kind in ("content_block_delta", "content_block_stop") and call and call.denied:
            return []
        if kind == "message_delta":
            return [_ended(told, self._blocks.all)]
        return [told]

    def _message(self, told: Fields) -> Heard:
        for at, block in enumerate(listed(told.get("content"))):
            block = members(block)
            if block.get("type") == CALL:
                call = Call(text_of(block.get("name")), text_of(block.get("id")))
                call.add(block.get("input") or "{}")
                self._whole[at] = call
        calls = [*self._whole.values()]
        return Heard(calls, calls)

    def _message_without(self, told: Fields) -> Fields:
        content = listed(told.get("content"))
        for at, call in self._whole.items():
            if call.denied:
                content[at] = {"type": "text", "text": call.said}
        left = any(not call.denied for call in self._whole.values())
        ends = not left and told.get("stop_reason") == CALL
        return {**told, "content": content, **({"stop_reason": ENDED} if ends else {})}


def _text_block(index: Any, said: str) -> list[Fields]:
    delta = {"type": "text_delta", "text": said}
    return [
        {
            "type": "content_block_start",
            "index": index,
            "content_block": {"type": "text", "text": ""},
        },
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


def _ended(told: Fields, calls: list[Call]) -> Fields:
    delta = members(told.get("delta"))
    if delta.get("stop_reason") != CALL or any(not call.denied for call in calls):
        return told
    return {**told, "delta": {**delta, "stop_reason": ENDED}}
