"""A call as the conversation that the screen shows."""

import json

import pytest

from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.tui.reading import read
from tests.tui import demo


def whole() -> tuple[FlowDetail, ResponseRow]:
    detail = demo.detail(demo.flow(1))
    assert detail.response is not None
    return detail, detail.response


def test_an_answer_of_a_format_that_is_not_read_says_so():
    detail = demo.detail(demo.flow(1))
    assert read(detail).turns[-1].note == ""

    detail.request.wire = "openai.assistants"
    assert "is stored as it came, not read" in read(detail).turns[-1].note


@pytest.mark.parametrize(
    ("wire", "path", "answer", "said"),
    [
        ("openai.embeddings", "/v1/embeddings", {"data": [{"embedding": [0.1]}] * 2}, "2 vectors"),
        (
            "anthropic.count_tokens",
            "/v1/messages/count_tokens",
            {"input_tokens": 1114},
            "1,114 tokens",
        ),
    ],
)
def test_an_answer_without_words_says_what_it_holds(wire, path, answer, said):
    detail, response = whole()
    detail.request.wire, detail.request.path = wire, path
    response.body = json.dumps(answer).encode()
    assert [part.text for part in read(detail).turns[-1].parts] == [said]


def test_frames_of_a_websocket_read_as_a_conversation():
    def frame(side, data):
        return json.dumps({"from": side, "type": "text", "at": 0, "data": json.dumps(data)})

    detail, response = whole()
    detail.request.wire, detail.request.headers = "openai.responses.websocket", []
    asked = {"type": "response.create", "input": [{"role": "user", "content": "Hello?"}]}
    detail.request.body = frame("client", asked).encode()
    response.headers = []
    output = [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi."}],
        }
    ]
    done = {"type": "response.completed", "response": {"status": "completed", "output": output}}
    response.body = frame("server", done).encode()

    turns = read(detail).turns
    assert [(turn.role, turn.parts[0].text) for turn in turns] == [
        ("user", "Hello?"),
        ("assistant", "Hi."),
    ]


def test_an_answer_that_was_not_kept_says_why():
    detail, response = whole()
    response.body, response.body_kept = b"", "dropped"
    assert "the journal was at its limit" in read(detail).turns[-1].note


def test_a_call_without_its_texts_says_so_and_shows_no_blanks():
    detail, response = whole()
    body = json.loads(detail.request.body)
    body["messages"] = [{"role": "user", "content": " " * 12}]
    detail.request.body, detail.request.body_kept = json.dumps(body).encode(), "skeleton"
    answer = json.loads(response.body)
    answer["content"] = [{"type": "text", "text": " " * 9}]
    response.body, response.body_kept = json.dumps(answer).encode(), "skeleton"

    reading = read(detail)

    assert reading.problem == "texts are not kept (capture = metadata): blanks stand for them"
    assert [part.text for turn in reading.turns[1:] for part in turn.parts] == ["", ""]
    assert "capture = metadata" in reading.turns[-1].note
