"""Answers on their way back, event by event, in any cuts, and made to hurt."""

import json
import random
from collections.abc import Iterable
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmproxy_core.namespace.incoming import AnswerNames, changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.restore import MOST_WAITING

LONG = "look_up_" + "a_very_long_name_" * 4
TOOLS = ["find", "find_all", "x", "pay__y", LONG]
EOLS = [b"\n", b"\r\n", b"\r"]


def naming(*tools: str) -> Naming:
    made = Naming("pay__", 64)
    for tool in tools or TOOLS:
        made.send(tool.encode())
    return made


def sent(tool: str) -> str:
    found = naming().send(tool.encode())
    assert found
    return found.decode()


def fed(chunks: Iterable[bytes], wire: str = "openai.chat", lines: bool = False) -> bytes:
    answer = AnswerNames(wire, naming(), lines)
    return b"".join(map(answer.feed, chunks)) + answer.finish()


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def chunk(choice: int = 0, call: int = 0, **function: str) -> dict[str, Any]:
    """An event of OpenAI's chat with a piece of a call."""
    told = {"index": call, "function": function}
    return {"choices": [{"index": choice, "delta": {"tool_calls": [told]}}]}


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def events(*bodies: Any, eol: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + json.dumps(body).encode() + eol + eol for body in bodies)


def heard(stream: bytes) -> dict[tuple[int, int], str]:
    """The names that a client puts together."""
    names: dict[tuple[int, int], str] = {}
    for line in stream.splitlines():
        if not line.startswith(b"data: {"):
            continue
        for choice in json.loads(line[6:])["choices"]:
            for call in choice["delta"].get("tool_calls", ()):
                key = choice["index"], call["index"]
                names[key] = names.get(key, "") + call["function"].get("name", "")
    return names


type Part = tuple[bytes, bytes | None]
"""Bytes of a stream, and of a name what the client gets for it."""

EVENTS = st.sampled_from(["said", "call", "arguments", "comment", "lines", "prose", "done"])


def parts(kind: str, tool: str, eol: bytes) -> list[Part]:
    if kind == "call":
        before, after = json.dumps(chunk(name="@", arguments="")).encode().split(b'"@"')
        name: Part = (b'"%b"' % sent(tool).encode(), b'"%b"' % tool.encode())
        return [(b"data:" + before, None), name, (after + eol + eol, None)]
    if kind == "lines":
        text = json.dumps(chunk(name="@"), indent=1).encode().replace(b"\n", eol + b"data: ")
        before, after = text.split(b'"@"')
        name = (b'"%b"' % sent(tool).encode(), b'"%b"' % tool.encode())
        return [(b"event: m" + eol + b"data: " + before, None), name, (after + eol + eol, None)]
    told = {
        "said": events(said("hello"), eol=eol),
        "prose": events(said(f'the "name": "{sent(tool)}"'), eol=eol),
        "arguments": events(chunk(arguments=json.dumps({"name": sent(tool)})), eol=eol),
        "comment": b': "name": "pay__x"' + eol + eol,
        "done": b"data: [DONE]" + eol + eol,
    }
    return [(told[kind], None)]


@given(
    kinds=st.lists(st.tuples(EVENTS, st.sampled_from(TOOLS)), max_size=6),
    eol=st.sampled_from(EOLS),
    start=st.sampled_from([b"", b"\xef\xbb\xbf", b"\n"]),
    seed=st.integers(0, 2**32),
)
def test_all_but_an_unfinished_name_has_left_whatever_has_come_so_far(
    kinds: list[tuple[str, str]], eol: bytes, start: bytes, seed: int
) -> None:
    stream = [(start, None), *(part for kind, tool in kinds for part in parts(kind, tool, eol))]
    data = b"".join(came for came, _ in stream)
    for longest in (1, 5, 70, 1000):
        answer, sizes, at, got = AnswerNames("openai.chat", naming()), random.Random(seed), 0, b""
        while at < len(data):
            size = sizes.randint(1, longest)
            got += answer.feed(data[at : at + size])
            at = min(at + size, len(data))
            assert got == _left(stream, at)
        assert answer.finish() == b""


def _left(stream: list[Part], at: int) -> bytes:
    """What of the first `at` bytes has gone to the client."""
    out = b""
    for came, ours in stream:
        if at <= 0:
            break
        if ours is None:
            out += came[:at]
        elif at >= len(came):
            out += ours
        at -= len(came)
    return out


PIECES = st.lists(st.integers(1, 12), max_size=5)


@given(
    calls=st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([*TOOLS, "nobody's"]), PIECES),
        min_size=1, max_size=4,
    ),
    order=st.randoms(use_true_random=False),
    size=st.sampled_from([1, 7, 100, 10_000]),
)  # fmt: skip
def test_a_name_in_pieces_is_put_together_also_if_several_calls_take_turns(
    calls: list[tuple[int, str, list[int]]], order: random.Random, size: int
) -> None:
    queues, expected = [], {}
    for index, (choice, tool, lengths) in enumerate(calls):
        name = sent(tool) if tool in TOOLS else "pay__" + tool
        expected[choice, index] = tool
        pieces, at = [], 0
        for length in lengths:
            pieces.append(name[at : at + length])
            at += length
        pieces.append(name[at:])
        queues.append([chunk(choice, index, name=piece) for piece in pieces if piece])
    bodies = []
    while queues := [queue for queue in queues if queue]:
        bodies.append(order.choice(queues).pop(0))
    stream = events(*bodies, said("done"), chunk(arguments="{}"))
    got = fed(stream[at : at + size] for at in range(0, len(stream), size))
    assert {key: name for key, name in heard(got).items() if name} == expected


@pytest.mark.parametrize("name", ["p", "pay", "pay__", "pay__look", "pay__look_up_a_very"])
@pytest.mark.parametrize("then", [[said("so")], [chunk(arguments="{}")], []])
@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_a_wrong_name_that_only_begins_like_a_sent_one_is_not_lost(
    name: str, then: list[Any], size: int
) -> None:
    stream = events(said("hm"), chunk(name=name, arguments=""), *then)
    got = fed(stream[at : at + size] for at in range(0, len(stream), size))
    expected = name.removeprefix("pay__") or name
    assert got == stream.replace(b'"%b"' % name.encode(), b'"%b"' % expected.encode())


def test_what_waits_for_the_next_piece_of_a_name_leaves_with_the_next_event_at_the_latest() -> None:
    answer = AnswerNames("openai.chat", naming())
    first, comment = events(chunk(name="pay")), b": ping\n\n"
    got = answer.feed(first)
    assert got == first.partition(b'pay"')[0]
    assert answer.feed(comment) == b""
    assert got + answer.feed(events(said("hi"))) == first + comment + events(said("hi"))


def test_one_name_does_not_go_on_with_another_calls() -> None:
    stream = events(chunk(call=0, name="pay"), chunk(call=1, name="pay__find"), said("hi"))
    assert heard(fed([stream])) == {(0, 0): "pay", (0, 1): "find"}
    stream = events(chunk(name="pay"), chunk(name="pay__find"), said("hi"))
    assert heard(fed([stream])) == {(0, 0): "payfind"}


def test_names_that_wait_do_not_pile_up() -> None:
    answer = AnswerNames("openai.chat", naming())
    came = left = 0
    for call in range(3_000):
        event = events(chunk(call=call, name="pay"))
        came, left = came + len(event), left + len(answer.feed(event))
        assert came - left <= MOST_WAITING + len(event)


@pytest.mark.parametrize("whole", [True, False])
def test_in_a_whole_answer_names_are_whole(whole: bool) -> None:
    call = {"function": {"name": "pay"}}
    text = json.dumps({"choices": [{"message": {"tool_calls": [call, call]}}]}).encode()
    assert fed([text] if whole else one_by_one(text)) == text


ESCAPED = [
    ("pay\\u005f_find", "find"),
    ("\\u0070ay__f\\u0069nd", "find"),
    ("pay\\u005f\\u005fcaf\\u00e9 \\\"", "caf\u00e9 \\\""),
    ("\\u0066ind", "\\u0066ind"),
    ("pay__\\ud800", "\\ud800"),
    ("\\ud800pay__x", "\\ud800pay__x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), ESCAPED)
@pytest.mark.parametrize("wire", ["openai.chat", "ollama.chat"])
def test_a_name_that_is_written_in_escapes_loses_its_prefix_all_the_same(
    name: str, expected: str, wire: str
) -> None:
    text = json.dumps(_call("@"))
    if wire == "openai.chat":
        text = json.dumps({"choices": [_call("@")]})
    came, ours = (text.replace("@", one).encode() for one in (name, expected))
    assert changed(came, wire, naming()) == ours
    assert fed(one_by_one(came), wire) == ours
    assert fed([b"data: %b\n\n" % came], wire) == b"data: %b\n\n" % ours


def _call(name: str) -> dict[str, Any]:
    return {"message": {"tool_calls": [{"function": {"name": name}}]}}


@pytest.mark.parametrize("size", [1, 13, 10_000])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("several", ["array", "row", "one"])
def test_json_comes_as_one_text_as_an_array_or_one_after_the_other(
    size: int, indent: int | None, several: str
) -> None:
    names = TOOLS if several != "one" else ["find"]
    expected, came = ([_call(name) for name in ours] for ours in (names, map(sent, names)))

    def written(calls: list[Any]) -> bytes:
        if several == "array":
            # Gemini's, the only one whose answers are arrays
            parts = [{"functionCall": c["message"]["tool_calls"][0]["function"]} for c in calls]
            calls = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
            return json.dumps(calls, indent=indent).encode()
        return b"\n".join(json.dumps(call, indent=indent).encode() for call in calls)

    data = written(came)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert fed(chunks, "gemini" if several == "array" else "ollama.chat") == written(expected)


@pytest.mark.parametrize("size", [1, 13, 10_000])
@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
def test_lines_of_json_are_read_each_by_itself_also_after_a_damaged_one(
    size: int, eol: bytes
) -> None:
    def lines(*names: str) -> bytes:
        texts = [json.dumps(_call(name)).encode() for name in names]
        return eol.join([texts[0], b'{"message": {"tool_calls": [', b"", *texts[1:]])

    data = lines(*map(sent, TOOLS))
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert fed(chunks, "ollama.chat", lines=True) == lines(*TOOLS)


@example(cut=1)
@given(cut=st.integers(0, 64))
def test_a_stream_that_ends_inside_a_name_ends_there_without_the_prefix(cut: int) -> None:
    for tool in TOOLS:
        stream = events(chunk(name=sent(tool))).partition(b'"pay__')[0]
        name = sent(tool)[:cut]
        expected = name[5:]
        assert fed([stream + b'"' + name.encode()]) == stream + b'"' + expected.encode()


def test_formats_that_we_do_not_read_pass() -> None:
    data = events(chunk(name="pay__find"))
    assert fed([data], "nobody.knows") == data
    assert changed(data, "nobody.knows", naming()) == data


def test_a_text_in_which_nothing_changes_is_the_same_object() -> None:
    for text in (b'{"choices": []}', b'{"choices": [{"name": "pay__x"}', b'{"name": "pay__x"}'):
        assert changed(text, "openai.chat", naming()) is text


CALL = events(chunk(name="pay__find"))[:-2]


@pytest.mark.parametrize(
    ("start", "again", "size"),
    [
        (CALL[:-2], b'"hello \\\\n",', 2**16),
        (b'data: {"x":"', b"hello", 1),
        (CALL.partition(b"pay__")[0], b"pay__", 2**16),
        (b"", CALL + b"\n\n", 2**16),
        (b"", events(chunk(name="pay")), 997),
        (b"", b"data:\n", 2**16),
        (CALL + b"\n", b"data: x\n", 2**16),
        (CALL + b"\n", b"\n", 2**16),
        (CALL + b"\n", b"\r", 2**16),
        (CALL + b"\n", b"dat", 2**16),
        (b"", b'name"', 2**16),
        (b"", b'data: name"\n\n', 2**16),
        (b'data: {"choices":', b"[", 2**16),
        (b'data: {"x":"', b"a" * 1000 + b"\\", 1001),
    ],
)
def test_streams_made_to_hurt_take_time_in_proportion_to_their_size(
    start: bytes, again: bytes, size: int
) -> None:
    data = start + again * (300_000 // len(again))
    made = Naming("pay__", 64)
    for index in range(2_000):
        made.send(LONG.encode() + b"%d" % index)
    answer, began, left = AnswerNames("openai.chat", made), process_time(), 0
    for at in range(0, len(data), size):
        left += len(answer.feed(data[at : at + size]))
    assert process_time() - began < 10e-6 * len(data) + 0.2
    assert left + len(answer.finish()) > 0
