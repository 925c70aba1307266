"""Answers that pass through several stages within one content coding."""

import pytest

from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.recoding import Encoder
from llmproxy_core.rewriting import Order, Rewriting

CODINGS = ["", "gzip", "br", "zstd"]
each = pytest.mark.parametrize("coding", CODINGS)


class Swap:
    """Puts one byte in place of another; keeps the last one back."""

    def __init__(self, old: bytes, new: bytes) -> None:
        self.old, self.new = old, new
        self.kept = b""
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> bytes:
        data = self.kept + data
        self.kept = data[-1:]
        return data[:-1].replace(self.old, self.new)

    def finish(self) -> bytes:
        return self.kept.replace(self.old, self.new)

    def idle(self, body: bytes) -> bool:
        return self.old not in body


def rewriting(coding: str, *, wire: str = "openai.chat") -> Rewriting:
    made = Rewriting(wire, told(coding))
    made.add(Order.TOOL_CALLS, Swap(b"b", b"c"))
    made.add(Order.NAMES, Swap(b"a", b"b"))
    return made


def told(coding: str) -> list[tuple[str, str]]:
    return [("Content-Encoding", coding)] if coding else []


def coded(coding: str, body: bytes) -> bytes:
    coder = Encoder([coding] if coding else [])
    return coder.encode(body) + coder.finish()


@each
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_stages_are_asked_in_order_whoever_came_first(coding: str, size: int) -> None:
    body = coded(coding, b"data: xaabbx\n\n")
    made = rewriting(coding)
    sent = [made.feed(body[at : at + size]) for at in range(0, len(body), size)]
    left = b"".join([*sent, made.finish()])
    assert decode_body(told(coding), left) == (b"dctc: xccccx\n\n", None)


@each
def test_a_whole_answer_stays_the_same_object_if_nothing_changes(coding: str) -> None:
    body = coded(coding, b'{"x": 1}')
    assert rewriting(coding).whole(body) is body
    left = rewriting(coding).whole(coded(coding, b'{"a": "b"}'))
    assert decode_body(told(coding), left) == (b'{"c": "c"}', None)


@each
def test_a_stage_that_raises_is_taken_out_and_the_others_go_on(coding: str) -> None:
    coder = Encoder([coding] if coding else [])
    made = rewriting(coding)
    made.add(Order.PLACEHOLDERS, Shout())
    chunks = [coder.encode(b"data: ab\n\n"), coder.encode(b"data: ba\n\n") + coder.finish()]
    left = b"".join([*map(made.feed, chunks), made.finish()])
    assert decode_body(told(coding), left) == (b"dctc: cc\n\ndctc: cc\n\n", None)
    assert isinstance(made.fault, ZeroDivisionError)


class Shout(Swap):
    def __init__(self) -> None:
        super().__init__(b"a", b"A")

    def feed(self, data: bytes) -> bytes:
        raise ZeroDivisionError


def test_the_id_of_an_answer_is_read_before_any_stage() -> None:
    made = rewriting("", wire="openai.responses")
    made.feed(b'{"id": "resp_a')
    made.feed(b'b1", ')
    assert made.id == "resp_ab1"
    whole = rewriting("", wire="openai.responses")
    whole.whole(b'{"id": "resp_ab2"}')
    assert whole.id == "resp_ab2"
