"""Names of tools within texts, out and back, for namespaces that ask for it."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.answer import Answer
from llmproxy_core.namespace.incoming import changed_frame
from llmproxy_core.namespace.mentions import speaking
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.request import Call, Prefixer
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.providers.eventstream import MessageReader, encode_message
from llmproxy_core.spans.recent import Recent

PREFIX = "pay__"
LONG = "look_up_" + "a_very_long_name_" * 4
NAMES = ("get_weather", "refund2", "read", LONG)
CHAT = "openai.chat"
EVENTS = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]


class M(str):
    """A text in which each `@name` stands for a name that is to be prefixed."""


def told(value: Any, before: str) -> Any:
    """A body with its names in texts as they are on one side."""
    if isinstance(value, M):
        return M(value.replace("@", before))
    if isinstance(value, dict):
        return {key: told(inner, before) for key, inner in value.items()}
    return [told(inner, before) for inner in value] if isinstance(value, list) else value


def tools(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name}} for name in names or NAMES]


def chat(text: str, *names: str) -> dict[str, Any]:
    return {"tools": tools(*names), "messages": [{"role": "user", "content": text}]}


def asked() -> Naming:
    return Naming(PREFIX, plain_text=True)


def sent_text(text: str, *names: str) -> str:
    """What the provider reads of a prompt."""
    body = json.dumps(chat(text, *names)).encode()
    naming = asked()
    out = prefix_request(CHAT, body, naming).body
    assert strip_request(CHAT, out, naming) == body
    return str(json.loads(out)["messages"][0]["content"])


def of_request() -> Naming:
    naming = asked()
    prefix_request(CHAT, json.dumps(chat("Hi")).encode(), naming)
    return naming


def back(wire: str, stream: bytes, size: int = 0, headers: Any = EVENTS) -> bytes:
    answer = Answer(wire, of_request(), headers)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert answer.fault is None
    return out


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def spoken(*texts: str | None, choice: int = 0) -> list[dict[str, Any]]:
    """Events of a chat; None: one without a text."""
    deltas: list[dict[str, Any]] = [{} if text is None else {"content": text} for text in texts]
    return [{"choices": [{"index": choice, "delta": delta}]} for delta in deltas]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("use get_weather.", "use pay__get_weather."),
        ('get_weather\nand "refund2"\t`get_weather`', None),
        ("forget_weather get_weather2 get_weather-x xget_weather", None),
        ("read the book", "read the book"),
        ("é" + "get_weather" + "日", "épay__get_weather日"),
        ("\\get_weather\\\\", "\\pay__get_weather\\\\"),
        ("", ""),
    ],
)
def test_a_name_is_changed_where_it_is_a_whole_word(text, sent):
    if sent is None:
        sent = text.replace("\nand", "\nand").replace('"refund2"', '"pay__refund2"')
        sent = sent.replace("`get", "`pay__get")
        sent = "pay__" + sent if text.startswith("get") else text
    assert sent_text(text) == sent


def test_a_name_that_is_too_long_is_told_as_it_is_sent():
    (sent,) = of_request().shortened
    assert sent_text(f"use {LONG}!") == f"use {sent}!"
    assert sent_text("use " + LONG + "x") == "use " + LONG + "x"


@pytest.mark.parametrize(
    "escaped", ["\\u0067et_weather", "x\\u005fget_weather", "get_weather\\u0031"]
)
def test_a_word_with_escaped_letters_is_no_name(escaped):
    body = json.dumps(chat("@")).replace("@", escaped).encode()
    assert escaped.encode() in prefix_request(CHAT, body, asked()).body


@pytest.mark.parametrize(
    "name", ["get_weather", "web-search", "sha1", "getWeather", "READ", "a_bc"]
)
def test_a_name_speaks_that_is_no_word(name):
    assert speaking(name.encode())


@pytest.mark.parametrize("name", ["read", "Search", "a_b", "get.weather", "a/b_c", "émilie_"])
def test_a_name_that_may_be_a_word_does_not(name):
    assert not speaking(name.encode())


def test_names_stay_where_nobody_asks():
    body = json.dumps(chat("use get_weather")).encode()
    out = json.loads(prefix_request(CHAT, body, Naming(PREFIX)).body)
    assert out["messages"][0]["content"] == "use get_weather"


def test_only_tools_that_the_request_offers_are_changed():
    call = {"id": "get_weather", "function": {"name": "gone_away", "arguments": '"get_weather"'}}
    body = chat("get_weather, gone_away, unheard_of")
    body["messages"].append({"role": "assistant", "content": None, "tool_calls": [call]})
    out = json.loads(prefix_request(CHAT, json.dumps(body).encode(), asked()).body)
    assert out["messages"][0]["content"] == "pay__get_weather, gone_away, unheard_of"
    assert out["messages"][1]["tool_calls"] == [
        {"id": "get_weather", "function": {"name": "pay__gone_away", "arguments": '"get_weather"'}}
    ]


@pytest.mark.parametrize("taken", ["pay__get_weather", "pay__read"])
def test_a_name_that_a_text_has_as_it_is_sent_stays_in_all_texts(taken):
    """It could not be told from ours on its way back."""
    text = f"{taken}, get_weather and refund2"
    naming = asked()
    body = json.dumps(chat(text)).encode()
    out = prefix_request(CHAT, body, naming).body
    other = "get_weather" if taken.endswith("weather") else "pay__get_weather"
    assert json.loads(out)["messages"][0]["content"] == f"{taken}, {other} and pay__refund2"
    assert strip_request(CHAT, out, naming) == body
    answer = Answer(CHAT, naming, EVENTS)
    stream = sse(*spoken(f"{taken} and pay__refund2."))
    assert answer.feed(stream) == sse(*spoken(f"{taken} and refund2."))


def test_a_clients_own_name_with_the_prefix_is_told_from_ours():
    assert sent_text("refund2 and x", "refund2", "pay__refund2") == "pay__refund2 and x"
    both = "refund2 and pay__refund2"
    assert sent_text(both, "refund2", "pay__refund2") == both


def test_what_was_said_before_is_remembered_by_its_names():
    memory: Any = Recent(99)
    text = "use get_weather or refund2 " + "x" * 99
    for names in [("get_weather",), ("refund2",), ("get_weather", "refund2"), ("refund2",)]:
        body = json.dumps(chat(text, *names)).encode()
        for _ in range(2):
            out = prefix_request(CHAT, body, asked(), told=memory).body
            assert out == prefix_request(CHAT, body, asked()).body
            assert out.count(b"pay__") == 2 * len(names)


PARTS = st.sampled_from(
    ["pay__get_weather", "pay__read", "get_weather", "pay", "__", "p", " ", ".", "\n", '"', "é", "日",
     "x", "_", "pay__refund", "2", of_request().send(LONG.encode()).decode(), "😀", "\\", ""]
)  # fmt: skip
WORD = re.compile(r"[A-Za-z0-9_-]+")
LETTERS = bytes(range(128)).translate(None, b'{}[]:," \n\\')


def restored(text: str) -> str:
    """What the client shall read: plain and slow."""
    known = {sent.decode(): name.decode() for name, sent in of_request().changed.items()}
    return WORD.sub(lambda found: known.get(found[0], found[0]), text)


@given(
    st.lists(st.tuples(st.integers(0, 1), PARTS), max_size=20), st.booleans(), st.integers(1, 40)
)
def test_a_name_comes_back_however_it_is_cut_into_events(said, each, size):
    events = [event for choice, text in said for event in spoken(text, choice=choice)]
    events = [{"id": str(at), **event} for at, event in enumerate(events)]
    answer = Answer(CHAT, of_request(), EVENTS)
    pieces = [sse(event) for event in events] if each else [sse(*events)]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert each or out == back(CHAT, sse(*events), size)

    got = [json.loads(line[6:]) for line in out.decode().splitlines() if line]
    assert [event["id"] for event in got] == [event["id"] for event in events]
    for choice in (0, 1):
        texts = "".join(text for index, text in said if index == choice)
        heard = [event["choices"][0] for event in got if event["choices"][0]["index"] == choice]
        assert "".join(one["delta"]["content"] for one in heard) == restored(texts)


@given(st.lists(PARTS, max_size=9), st.booleans())
def test_what_was_sent_is_the_request_again(said, ascii_only):
    text = "".join(said)
    body = json.dumps(chat(text), ensure_ascii=ascii_only).encode()
    naming = asked()
    out = prefix_request(CHAT, body, naming)
    assert out.reason == ""
    assert strip_request(CHAT, out.body, naming) == body
    if not naming.left_in_texts:
        later = Naming(PREFIX, shortened=naming.shortened, plain_text=True)
        assert strip_request(CHAT, out.body, later) == body


def leaving(*texts: str | None, more: Any = ()) -> list[bytes]:
    """What leaves with each event, the last with the end of the stream."""
    answer = Answer(CHAT, of_request(), EVENTS)
    sent = [answer.feed(sse(event)) for event in [*spoken(*texts), *more]]
    return [*sent, answer.finish()]


def contents(out: bytes) -> list[str | None]:
    events = [json.loads(line[6:]) for line in out.decode().splitlines() if line]
    return [event["choices"][0]["delta"].get("content") for event in events]


def test_an_event_waits_only_while_its_end_may_begin_a_name():
    out = [contents(one) for one in leaving("so", " I p", "lay pa", "y__get_wea", "ther", ".", "p")]
    assert out == [["so"], [], [" I p"], [], [], ["lay ", "get_wea", "ther", "."], [], ["p"]]


@pytest.mark.parametrize("after", [None, " ", "\n"])
def test_what_waits_leaves_when_its_text_has_ended(after):
    out = [contents(one) for one in leaving("pay__", "read", after)]
    assert out == [[], [], ["", "read", after], []]


def test_a_name_at_the_end_of_the_stream_comes_back():
    assert [contents(one) for one in leaving("use pay__", "read")] == [[], [], ["use ", "read"]]


def test_comments_and_pings_do_not_wait():
    answer = Answer("anthropic.messages", of_request(), EVENTS)
    first = {"type": "content_block_delta", "index": 0}
    start = sse(first | {"delta": {"type": "text_delta", "text": "pay"}})
    end = sse(first | {"delta": {"type": "text_delta", "text": "__read"}})
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    assert [answer.feed(piece) for piece in (start, b": alive\n\n", ping, end)] == [
        b"", b": alive\n\n", ping, b"",
    ]  # fmt: skip
    assert answer.finish() == start.replace(b"pay", b"") + end.replace(b"__read", b"read")


def test_an_event_of_another_choice_neither_decides_nor_overtakes():
    events = spoken("pay") + spoken("p", choice=1) + spoken("__read!") + spoken("!", choice=1)
    texts = contents(back(CHAT, sse(*events)))
    assert texts == ["", "p", "read!", "!"]


def test_a_text_that_says_ping_waits_like_any_other():
    out = leaving("pay", "ping", "__read")
    assert [contents(one) for one in out] == [[], ["pay", "ping"], ["__read"], []]


def test_a_word_that_began_while_nothing_waited_is_no_name():
    texts = ["x", "pay__read ", "x", "", "pay__read", "."]
    assert [contents(one)[:1] for one in leaving(*texts)[:-1]] == [[text] for text in texts]


@given(
    st.lists(PARTS, max_size=6),
    st.lists(st.tuples(st.integers(0, 999), st.binary(max_size=2)), max_size=4),
    st.integers(1, 60),
)
def test_of_a_damaged_stream_nothing_is_lost_but_prefixes(said, damage, size):
    stream = b"".join(json.dumps(event).encode() + b"\n" for event in spoken(*said))
    for at, new in damage:
        stream = stream[:at] + new + stream[at + 1 :]
    out = back(CHAT, stream, size, [("content-type", "application/x-ndjson")])
    assert out.translate(None, LETTERS) == stream.translate(None, LETTERS)


def test_too_much_that_waits_leaves_as_it_came():
    events = [*spoken("pay__rea"), *spoken(*["x"] * 1500, choice=1), *spoken("d")]
    answer = Answer(CHAT, of_request(), EVENTS)
    assert answer.feed(sse(*events[:500])) == b""
    assert answer.feed(sse(*events[500:1200])).startswith(sse(*events[:1000]))
    assert answer.feed(sse(*events[1200:])) + answer.finish() == sse(*events[1200:])


def test_a_stream_that_ends_in_an_event_loses_nothing():
    stream = sse(*spoken("use pay__read", " now pay"))
    for end in range(len(stream)):
        out = back(CHAT, stream[:end])
        assert out.replace(PREFIX.encode(), b"") == stream[:end].replace(PREFIX.encode(), b"")


def test_an_event_too_large_passes_with_what_waited(monkeypatch):
    monkeypatch.setattr("llmproxy_core.namespace.events.LIMIT", 1000)
    stream = sse(*spoken("pay", "__read" + "x" * 2000), *spoken("pay__read"))
    assert back(CHAT, stream, 7) == stream


def test_a_fault_of_ours_lets_everything_pass(monkeypatch):
    answer = Answer(CHAT, of_request(), EVENTS)
    first, second, third = (sse(event) for event in spoken("pay", "__read", "pay__read"))
    assert answer.feed(first) == b""
    monkeypatch.setattr("llmproxy_core.namespace.waiting.words", lambda *_: 1 / 0)
    assert answer.feed(second + third + third[:9]) == first + second + third + third[:9]
    assert isinstance(answer.fault, ZeroDivisionError)
    assert answer.feed(third[9:]) + answer.finish() == third[9:]


def test_json_texts_in_a_row_go_on_one_by_one():
    lines = [json.dumps({"message": {"content": text}}) + "\n" for text in ("a ", "pay", "__read.")]
    answer = Answer("ollama.chat", of_request(), JSON)
    out = [answer.feed(line.encode()) for line in lines]
    assert [line.count(b"content") for line in out] == [1, 0, 2]
    assert (
        b"".join(out) + answer.finish()
        == "".join(lines).replace("pay", "").replace("__r", "r").encode()
    )


TOLD = "pay__get_weather, read and pay__refund2"
HEARD = "get_weather, read and refund2"
SAID = {"role": "assistant", "content": TOLD}
ANSWERS: list[tuple[str, list[tuple[str, str]], list[Any]]] = [
    (CHAT, JSON, [{"id": "pay__read", "choices": [{"index": 0, "message": SAID}]}]),
    (CHAT, JSON, [{"error": {"message": TOLD, "code": "pay__read"}}]),
    ("openai.responses", JSON, [{
        "instructions": TOLD, "tools": [{"name": "pay__read", "description": TOLD}],
        "output": [{"type": "message", "content": [{"type": "output_text", "text": TOLD}]},
                   {"type": "reasoning", "summary": [{"type": "summary_text", "text": "pay__read"}]},
                   {"type": "function_call", "name": "x", "arguments": '"pay__read"'}],
    }]),
    ("openai.responses", EVENTS, [
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": TOLD},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "pay__read"},
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": TOLD},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "pay__read"},
        {"type": "error", "message": TOLD},
    ]),
    ("anthropic.messages", JSON, [{"id": "pay__read", "content": [
        {"type": "thinking", "thinking": "pay__read", "signature": "pay__read"},
        {"type": "text", "text": TOLD},
        {"type": "tool_use", "name": "x", "input": {"text": "pay__read"}}]}]),
    ("anthropic.messages", EVENTS, [
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "pay__read"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": TOLD}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": "pay__read"}},
        {"type": "error", "error": {"type": "x", "message": TOLD}},
    ]),
    ("gemini", JSON, [{"candidates": [{"content": {"parts": [
        {"text": TOLD}, {"text": "pay__read", "thought": True},
        {"text": TOLD, "thoughtSignature": "pay__read"}]}}]}]),
    ("gemini", JSON, [[{"candidates": [{"content": {"parts": [{"text": text}]}}]}
                       for text in ("{", TOLD, ' "', TOLD)]]),
    ("gemini", EVENTS, [{"response": {"candidates": [{"content": {"parts": [{"text": TOLD}]}}]}}]),
    ("ollama.chat", [("content-type", "application/x-ndjson")], [
        {"message": {"content": TOLD, "thinking": "pay__read"}}, {"message": {"content": ""}}]),
    ("ollama.chat", JSON, [{"error": TOLD}]),
    ("bedrock.converse", JSON, [{"output": {"message": {"content": [
        {"text": TOLD}, {"reasoningContent": {"reasoningText": {"text": "pay__read"}}}]}}}]),
    ("cohere.chat", JSON, [{"message": {"tool_plan": TOLD, "content": [
        {"type": "text", "text": TOLD}, {"type": "thinking", "thinking": "pay__read"}]}}]),
    ("cohere.chat", EVENTS, [
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": TOLD}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TOLD}}}}]),
    ("cohere.chat", JSON, [{"text": TOLD, "chat_history": [{"role": "USER", "message": TOLD}]}]),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "headers", "bodies"), ANSWERS)
@pytest.mark.parametrize("size", [0, 1, 7])
def test_in_answers_names_come_back_in_texts_alone(wire, headers, bodies, size):
    texts = [json.dumps(body).encode() for body in bodies]
    if headers is EVENTS:
        came = b"".join(b"event: x\r\ndata: " + text + b"\r\n\r\n" for text in texts)
    else:
        came = b"\n".join(texts)
    expected = came.replace(TOLD.encode(), HEARD.encode())
    expected = expected.replace(b'"name": "pay__read"', b'"name": "read"')
    assert back(wire, came, size, headers) == expected


def test_frames_of_an_eventstream_are_made_anew_in_order():
    kind = {":message-type": "event", ":event-type": "contentBlockDelta"}
    texts = ["use pa", "y__re", "ad", "\n"]
    frames = [
        encode_message(kind, json.dumps({"contentBlockIndex": 1, "delta": {"text": text}}).encode())
        for text in texts
    ]
    headers = [("content-type", "application/vnd.amazon.eventstream")]
    answer = Answer("bedrock.converse-stream", of_request(), headers)
    out = [answer.feed(frame) for frame in frames]
    assert out[:3] == [b""] * 3
    reader = MessageReader()
    got = [json.loads(message.payload) for message in reader.feed(out[3] + answer.finish())]
    assert [one["delta"]["text"] for one in got] == ["use ", "re", "ad", "\n"]
    assert reader.problem is None


def test_a_frame_of_a_websocket_is_changed_where_it_has_all_of_a_name():
    def frame(text: str) -> bytes:
        return json.dumps({"type": "response.output_text.delta", "delta": text}).encode()

    naming, wire = of_request(), "openai.responses.websocket"
    assert changed_frame(frame("use pay__read."), wire, naming) == frame("use read.")
    assert changed_frame(frame("use pay__"), wire, naming) == frame("use pay__")


WORDS: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": M("@get_weather")}]}
REQUESTS: list[tuple[str, Any]] = [
    (CHAT, {
        "messages": [
            {"role": "system", "content": M("@get_weather\n@refund2")}, WORDS,
            {"role": "user", "name": "get_weather", "content": [
                {"type": "image_url", "image_url": {"url": "data:get_weather"}}]},
            {"role": "tool", "tool_call_id": "get_weather", "content": M("@get_weather")},
        ],
        "tools": [{"type": "function", "function": {
            "name": M("@get_weather"), "description": M("as @refund2, no read"),
            "parameters": {"description": "get_weather"}}},
            {"type": "function", "function": {"name": M("@refund2")}}],
        "response_format": {"json_schema": {"name": "get_weather", "description": "get_weather"}},
    }),
    ("openai.responses", {
        "instructions": M("@get_weather"),
        "tools": [{"type": "function", "name": M("@get_weather"), "description": M("@get_weather")}],
        "input": [
            {"role": "user", "content": M("@get_weather")},
            {"type": "message", "role": "assistant", "id": "get_weather", "content": [
                {"type": "output_text", "text": M("@get_weather"), "annotations": [
                    {"title": "get_weather"}]}]},
            {"type": "function_call", "name": M("@get_weather"), "arguments": "get_weather"},
            {"type": "function_call_output", "call_id": "get_weather", "output": M("@get_weather")},
            {"type": "function_call_output", "output": [
                {"type": "input_text", "text": M("@get_weather")},
                {"type": "input_file", "filename": "get_weather", "file_data": "get_weather"}]},
            {"type": "reasoning", "encrypted_content": "get_weather", "content": [
                {"type": "reasoning_text", "text": "get_weather"}]},
        ],
    }),
    ("openai.responses.websocket", {"type": "response.create", "response": {
        "input": M("@get_weather"), "tools": [{"type": "function", "name": M("@get_weather")}]}}),
    ("anthropic.messages", {
        "system": [{"type": "text", "text": M("@get_weather")}],
        "tools": [{"name": M("@get_weather"), "description": M("@get_weather"),
                   "input_schema": {"description": "get_weather"}}],
        "messages": [
            {"role": "user", "content": M("@get_weather")},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "get_weather", "signature": "get_weather"},
                {"type": "text", "text": M("@get_weather")},
                {"type": "tool_use", "id": "1", "name": M("@get_weather"),
                 "input": {"text": "get_weather", "content": "get_weather"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "content": M("@get_weather")},
                {"type": "tool_result", "content": [{"type": "text", "text": M("@get_weather")}]},
                {"type": "document", "source": {"type": "text", "data": "get_weather"}},
                {"type": "compaction", "content": "get_weather"}]},
        ],
        "metadata": {"user_id": "get_weather"},
    }),
    ("anthropic.count_tokens", {"system": M("@get_weather"), "messages": [],
                                "tools": [{"name": M("@get_weather")}]}),
    ("gemini", {
        "systemInstruction": {"parts": [{"text": M("@get_weather")}]},
        "tools": [{"functionDeclarations": [
            {"name": M("@get_weather"), "description": M("@get_weather"),
             "parameters": {"description": "get_weather"}}]}],
        "contents": [{"parts": [
            {"text": M("@get_weather")}, {"text": "get_weather", "thought": True},
            {"inlineData": {"data": "get_weather"}},
            {"functionResponse": {"name": M("@get_weather"), "response": {
                "result": M("@get_weather"), "data": "get_weather"}}}]}],
    }),
    ("bedrock.converse", {
        "system": [{"text": M("@get_weather")}],
        "toolConfig": {"tools": [{"toolSpec": {
            "name": M("@get_weather"), "description": M("@get_weather")}}]},
        "messages": [{"content": [
            {"text": M("@get_weather")}, {"reasoningContent": {"text": "get_weather"}},
            {"toolResult": {"content": [{"text": M("@get_weather")}, {"json": "get_weather"}]}}]}],
    }),
    ("ollama.chat", {
        "tools": [{"type": "function", "function": {"name": M("@get_weather")}}],
        "messages": [{"role": "assistant", "content": M("@get_weather"), "thinking": "get_weather"}],
    }),
    ("cohere.chat", {
        "tools": [{"type": "function", "function": {"name": M("@get_weather")}}],
        "messages": [{"role": "assistant", "tool_plan": M("@get_weather"), "content": [
            {"type": "text", "text": M("@get_weather")},
            {"type": "thinking", "thinking": "get_weather"}]}],
    }),
    ("cohere.chat", {
        "tools": [{"name": M("@get_weather")}], "message": M("@get_weather"),
        "preamble": M("@get_weather"), "chat_history": [{"message": M("@get_weather")}],
        "documents": [{"text": "get_weather"}],
    }),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "body"), REQUESTS)
def test_in_requests_names_are_changed_in_texts_alone(wire, body):
    came = json.dumps(told(body, ""), indent=1).encode()
    naming = asked()
    out = prefix_request(wire, came, naming).body
    assert out.decode() == json.dumps(told(body, PREFIX), indent=1)
    assert strip_request(wire, out, naming) == came


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2,', b'{"\\u0061": 1,'])
def test_texts_of_a_request_that_is_written_strangely_stay(body):
    rest = json.dumps(chat("get_weather")).encode()[1:]
    out = prefix_request(CHAT, body + rest, asked()).body
    assert out.count(b"pay__") == len(NAMES)


TALKS = Namespace("talks", PREFIX, plain_text=True)
SILENT = Namespace("talks", PREFIX)


def call(*said: dict[str, Any], path: str = "/v1/chat/completions") -> Call:
    body = {"tools": tools("get_weather"), "messages": [{"role": "user", "content": "get_weather"}]}
    body["messages"] += said
    return Call("openai", CHAT, path, [], json.dumps(body).encode())


SAID_BEFORE = {"role": "assistant", "content": "18"}, {"role": "user", "content": "Thanks."}


@pytest.mark.parametrize(("began", "goes_on"), [(TALKS, SILENT), (SILENT, TALKS)])
def test_a_conversation_keeps_its_texts_as_they_began(began, goes_on, tmp_path):
    first = Prefixer(tmp_path / "prefixes", 2**20).sent(call(), began)
    for prefixer in (Prefixer(tmp_path / "prefixes", 2**20),) * 2:
        later = prefixer.sent(call(*SAID_BEFORE), goes_on)
        assert (later.prefix, later.left_alone) == (PREFIX, "")
        assert later.body.count(b"pay__") == first.body.count(b"pay__")
    assert first.body.count(b"pay__") == 1 + began.plain_text


def test_a_namespace_without_its_prefix_goes_on_with_a_conversation_as_it_was():
    prefixer = Prefixer(None, 2**20)
    prefixer.sent(call(), TALKS)
    assert prefixer.sent(call(*SAID_BEFORE), Namespace("talks")).body.count(b"pay__") == 2


def test_what_goes_on_from_an_answer_goes_on_as_it_was():
    prefixer = Prefixer(None, 2**20)
    sent = prefixer.sent(call(), TALKS)
    assert sent.naming
    prefixer.remember("resp_1", sent.naming)
    body = {"previous_response_id": "resp_1", "input": "get_weather"}
    body |= {"tools": [{"type": "function", "name": "get_weather"}]}
    asked = Call("openai", "openai.responses", "/v1/responses", [], json.dumps(body).encode())
    assert prefixer.sent(asked, SILENT).body.count(b"pay__") == 2
    answered = prefixer.answered("resp_1")
    assert answered
    assert answered.prefix == PREFIX.encode()
