"""Requests that a provider may read in another way than we do, or of which we read nothing."""

import json

import pytest

from llmproxy_core.anomaly.verdicts import AWAY, REPEATED, Verdicts
from tests.unit.anomaly.test_verdicts import CHAT, PATH, Watching, chat, user
from tests.unit.providers.samples_google import BATCH

GOOD, BAD = chat(user("fine")), chat(user("bad"))
TWICE = {
    "a list": GOOD[:-1] + b", " + BAD[1:],
    "the other way": BAD[:-1] + b", " + GOOD[1:],
    "a text": b'{"messages": [{"role": "user", "content": "bad", "content": "fine"}]}',
    "the first text": b'{"messages": [{"role": "user", "content": "fine", "content": "bad"}]}',
    "with escapes": b'{"messages": [{"content": "bad"}], "m\\u0065ssages": []}',
}


def judge(wire, path, body, **more):
    return Verdicts([Watching()], budget_ms=1000).request(wire, path, body, **more)


@pytest.mark.parametrize("body", TWICE)
def test_both_values_of_a_key_that_is_there_twice_are_judged(body):
    verdicts = Verdicts([Watching()], budget_ms=1000)
    for _ in range(2):
        judged = verdicts.request(CHAT, PATH, TWICE[body])
        assert [one.value for one in judged.found] == ["bad"]
        assert judged.faults == [REPEATED]
        assert not judged.whole


def test_a_key_that_is_there_once_is_no_fault():
    assert judge(CHAT, PATH, chat(user("fine"), user("fine"))).whole


@pytest.mark.parametrize("body", [b"{messages: 1}", b'{"messages": []},', b"hello"])
def test_what_is_no_json_is_not_judged_as_a_whole(body):
    assert "not JSON" in judge(CHAT, PATH, body).faults[0]


@pytest.mark.parametrize("wire", ["openai.assistants", "mistral.agents", "huggingface.tgi"])
def test_of_formats_that_nobody_reads_all_strings_are_judged(wire):
    body = {"inputs": "bad", "more": [{"deep": {"text": "also bad"}}], "image": "x" * 9000}
    judged = judge(wire, "/", json.dumps(body).encode())
    assert [one.text.text for one in judged.found] == ["bad", "also bad"]
    assert judged.whole


def test_each_request_of_a_batch_is_judged():
    told = json.loads(BATCH.asked)
    listed = told["batch"]["inputConfig"]["requests"]["requests"]
    listed *= 200
    listed[-1] = {"request": {"contents": [{"parts": [{"text": "bad"}]}]}}
    judged = judge("gemini.batches", BATCH.path, json.dumps(told).encode())
    assert [one.value for one in judged.found] == ["bad"]
    params = {"model": "m", "messages": [user("fine")]}
    many = [{"custom_id": "a", "params": params}] * 300
    many.append({"custom_id": "b", "params": {**params, "messages": [user("bad")]}})
    judged = judge("anthropic.batches", "/", json.dumps({"requests": many}).encode())
    assert [one.value for one in judged.found] == ["bad"]


def test_a_batch_whose_requests_are_in_a_file_cannot_be_judged():
    body = b'{"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}'
    assert judge("openai.batches", "/v1/batches", body).faults == [AWAY]
    body = b'{"batch": {"inputConfig": {"fileName": "files/1"}}}'
    assert judge("gemini.batches", BATCH.path, body).faults == [AWAY]
