import json
import time
from typing import Any

import pytest

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.verdicts import Verdicts

CHAT, PATH = "openai.chat", "/v1/chat/completions"
KEY = "AKIA" + "QYLPMN5HHHFPZAM2"


class Watching:
    """A detector that finds the word `bad`, and remembers what it was asked."""

    name = "watching"

    def __init__(self) -> None:
        self.asked: list[Text] = []

    def find(self, text: Text) -> list[Finding]:
        self.asked.append(text)
        at = text.text.find("bad")
        said = "The word bad."
        return [Finding("watching", "pii", 0.9, "low", at, at + 3, said)] if at >= 0 else []


class Failing:
    name = "failing"

    def find(self, text: Text) -> list[Finding]:
        raise ValueError(text.text)


class Hanging:
    name = "hanging"

    def find(self, text: Text) -> list[Finding]:
        while True:
            pass


class Devouring:
    name = "devouring"

    def find(self, text: Text) -> list[Finding]:
        raise MemoryError


def chat(*messages: Any, **more: Any) -> bytes:
    return json.dumps({"model": "gpt-5", "messages": list(messages), **more}).encode()


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_a_turn_is_judged_once_and_its_findings_stay_known():
    watching = Watching()
    verdicts = Verdicts([watching])
    first = verdicts.request(CHAT, PATH, chat(user("bad one")))
    second = verdicts.request(CHAT, PATH, chat(user("bad one"), user("good")))
    assert [text.text for text in watching.asked] == ["bad one", "good"]
    assert [one.new for one in first.found] == [True]
    assert [(one.new, one.value) for one in second.found] == [(False, "bad")]
    assert second.found[0].hash == first.found[0].hash


def test_who_wrote_a_text_is_told_with_it():
    watching = Watching()
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"a": 1}'}}
    Verdicts([watching]).request(
        CHAT,
        PATH,
        chat(
            {"role": "system", "content": "rules"},
            user("please"),
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            tools=[{"type": "function", "function": {"name": "ls", "description": "lists"}}],
        ),
    )
    assert [(t.text, t.author, t.kind, t.tool) for t in watching.asked] == [
        ("rules", "system", "text", ""),
        ("please", "user", "text", ""),
        ('{"a": 1}', "assistant", "arguments", "bash"),
        ("done", "tool", "result", "bash"),
        ("lists", "tool", "document", "ls"),
    ]


@pytest.mark.parametrize("broken", [Failing(), Hanging(), Devouring()], ids=lambda one: one.name)
def test_a_detector_that_breaks_stops_neither_others_nor_the_call(broken):
    watching = Watching()
    verdicts = Verdicts([broken, watching])
    begun = time.monotonic()
    judged = verdicts.request(CHAT, PATH, chat(user("bad")))
    assert time.monotonic() - begun < 60
    assert [one.value for one in judged.found] == ["bad"]
    assert len(judged.faults) == 1
    assert broken.name in judged.faults[0]
    assert not judged.whole


def test_faults_say_nothing_of_the_text():
    judged = Verdicts([Failing()]).request(CHAT, PATH, chat(user(f"my key is {KEY}")))
    assert KEY not in str(judged.faults)


def test_a_detector_that_fails_again_and_again_is_left_alone():
    verdicts = Verdicts([Hanging()])
    for number in range(3):
        verdicts.request(CHAT, PATH, chat(user(f"turn {number}"), model="x"))
    begun = time.process_time()
    judged = verdicts.request(CHAT, PATH, chat(user("one more")))
    assert time.process_time() - begun < 0.2
    assert "left alone" in judged.faults[0]


def test_what_could_not_be_judged_is_tried_again():
    watching = Watching()
    verdicts = Verdicts([Failing(), watching])
    for _ in range(2):
        verdicts.request(CHAT, PATH, chat(user("bad")))
    assert len(watching.asked) == 2


def test_a_text_that_there_is_no_time_for_is_left_and_told():
    watching = Watching()
    verdicts = Verdicts([watching], budget_ms=1.0)
    body = chat(user("a " * 100_000), user("short"))
    judged = verdicts.request(CHAT, PATH, body)
    assert judged.left >= 1
    assert not judged.whole
    assert verdicts.request(CHAT, PATH, body, whole=True).left == 0
    assert len(watching.asked[-2].text) + len(watching.asked[-1].text) > 200_000


def test_a_body_that_is_no_json_has_nothing_to_judge():
    assert Verdicts([Watching()]).request(CHAT, PATH, b"\xff\x00{{{").found == []


def test_a_frame_of_a_websocket_is_judged_as_a_request():
    frame = {
        "type": "response.create",
        "response": {
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "bad"}]}]
        },
    }
    verdicts = Verdicts([Watching()])
    body = json.dumps(frame).encode()
    assert [
        one.value
        for one in verdicts.request("openai.responses.websocket", "/v1/responses", body).found
    ] == ["bad"]


def test_what_is_known_costs_a_tenth_of_a_millisecond():
    verdicts = Verdicts(DETECTORS)
    verdicts.warm()
    body = chat(*(user(f"turn {number} " + "word " * 300) for number in range(60)))
    verdicts.request(CHAT, PATH, body, whole=True)
    spent = []
    for _ in range(30):
        begun = time.thread_time_ns()
        verdicts.request(CHAT, PATH, body)
        spent.append((time.thread_time_ns() - begun) / 1e6)
    assert min(spent) <= 0.1


def test_a_body_of_a_million_elements_does_not_hold_up_the_others():
    verdicts = Verdicts(DETECTORS)
    verdicts.warm()
    body = b'{"messages": [%b]}' % b",".join(b'{"content": "a%d"}' % n for n in range(200_000))
    began = time.process_time()
    judged = verdicts.request(CHAT, PATH, body)
    assert time.process_time() - began < 3
    assert judged.left > 10_000
    body = b'{"messages": [%b]}' % b",".join([b"[]"] * 1_500_000)
    began = time.process_time()
    assert verdicts.request(CHAT, PATH, body).left
    assert time.process_time() - began < 3
