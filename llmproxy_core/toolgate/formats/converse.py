"""`bedrock.converse` and its stream; Nova says the same through `invoke`, each event in an envelope.

A block of text begins with its first piece: only calls have a start.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from llmproxy_core.model import text_of
from llmproxy_core.toolgate.call import Call, Fields, Heard, listed, members, number
from llmproxy_core.toolgate.formats.blocks import Blocks

CALL, INDEX = "toolUse", "contentBlockIndex"
REASON, ENDED = "tool_use", "end_turn"
START, DELTA, STOP, LAST = (
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
)
ENVELOPES = (START, DELTA, STOP, LAST)


class Converse:
    words = (b"toolUse",)

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._whole: dict[int, Call] = {}

    def overhear(self, text: bytes) -> None:
        return

    def hear(self, told: Fields) -> Heard:
        if "output" in told:
            return self._message(told)
        _, event = opened(told)
        blocks, index = self._blocks, number(event, INDEX)
        if "stopReason" in event:
            return blocks.over()
        if index is None:
            return Heard()
        if "start" in event:
            if use := members(members(event["start"]).get(CALL)):
                call = Call(text_of(use.get("name")), text_of(use.get("toolUseId")))
                return blocks.begin(index, call)
            return blocks.other(index)
        if "delta" in event:
            use = members(members(event["delta"]).get(CALL))
            if blocks.call(index) is None and blocks.behind(index):
                blocks.other(index)
            heard = blocks.piece(index)
            for call in heard.calls:
                call.add(use.get("input"))
            return heard
        return blocks.end(index)

    def changed(self, told: Fields) -> list[Fields]:
        if "output" in told:
            return [self._message_without(told)]
        envelope, event = opened(told)
        if event.get("stopReason") == REASON and all(one.denied for one in self._blocks.all):
            ours = {**event, "stopReason": ENDED}
            return [{envelope: ours} if envelope else ours]
        index = number(event, INDEX)
        call = self._blocks.call(index) if index is not None else None
        if call is None or not call.denied:
            return [told]
        if "start" not in event:
            return []
        texts = ((DELTA, {"delta": {"text": call.said}, INDEX: index}), (STOP, {INDEX: index}))
        return [{name: piece} if envelope else piece for name, piece in texts]

    def _message(self, told: Fields) -> Heard:
        for at, block in enumerate(_content(told)):
            if use := members(members(block).get(CALL)):
                call = Call(text_of(use.get("name")), text_of(use.get("toolUseId")))
                call.add(use.get("input") or "{}")
                self._whole[at] = call
        calls = [*self._whole.values()]
        return Heard(calls, calls)

    def _message_without(self, told: Fields) -> Fields:
        content = _content(told)
        for at, call in self._whole.items():
            if call.denied:
                content[at] = {"text": call.said}
        message = {**told["output"]["message"], "content": content}
        ours = {**told, "output": {**told["output"], "message": message}}
        if told.get("stopReason") == REASON and all(one.denied for one in self._whole.values()):
            ours["stopReason"] = ENDED
        return ours


def opened(told: Fields) -> tuple[str, Fields]:
    """The envelope of an event, if it has one, and what is in it."""
    for name in ENVELOPES:
        if isinstance(inner := told.get(name), dict):
            return name, inner
    return "", told


def _content(told: Fields) -> list[object]:
    return listed(members(members(told.get("output")).get("message")).get("content"))
