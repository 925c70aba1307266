"""Requests that go on from an answer of which a call was denied."""

import json
from typing import Any

import pytest
from openai.types.responses import ResponseCustomToolCallOutputParam
from openai.types.responses import response_input_item_param as items
from pydantic import TypeAdapter

from llmproxy_core.toolgate import Call, Unanswered
from llmproxy_core.toolgate.unanswered import OUTPUTS

NO = "policy no-shell: no."
GIVEN = {"type": "function_call_output", "call_id": "call_1", "output": NO}


def denied(id: str = "call_1", kind: str = "function_call") -> Call:
    return Call("rm", id, said=NO, kind=kind)


@pytest.fixture
def unanswered() -> Unanswered:
    known = Unanswered()
    known.remember("resp_1", denied())
    return known


def answered(known: Unanswered, **request: Any) -> Any:
    return json.loads(known.answered(json.dumps(request).encode()))


def test_an_output_comes_before_the_input(unanswered):
    said = {"role": "user", "content": "Hi"}
    told = {"model": "m", "previous_response_id": "resp_1"}
    assert answered(unanswered, **told, input=[said])["input"] == [GIVEN, said]
    assert answered(unanswered, input=[said], **told)["input"] == [GIVEN, said]
    assert answered(unanswered, **told, input="Hi")["input"] == [GIVEN, said]
    assert answered(unanswered, **told, input=[])["input"] == [GIVEN]
    assert answered(unanswered, **told) == {"input": [GIVEN], **told}


def test_only_its_bytes_are_added(unanswered):
    body = b'{ "previous_response_id" : "resp_1",\n "input":[ {"a": 1.50} ], "z":"\\u00e9" }'
    ours = unanswered.answered(body)
    assert ours.replace(json.dumps(GIVEN, separators=(",", ":")).encode() + b",", b"") == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"previous_response_id": "resp_2", "input": []}',
        b'{"previous_response_id": null, "input": []}',
        b'{"input": [{"previous_response_id": "resp_1"}]}',
        b'{"previous_response_id": "resp_1", "input": [',
        b"previous_response_id",
        b'{"previous_response_id": "resp_1", "input": [{"call_id": "call_1"}]}',
    ],
)
def test_other_requests_stay_as_they_are(unanswered, body):
    assert unanswered.answered(body) is body


def test_all_calls_of_an_answer_are_told(unanswered):
    unanswered.remember("resp_1", denied("call_2", "custom_tool_call"))
    unanswered.remember("resp_1", denied("call_2", "custom_tool_call"))
    unanswered.remember("resp_1", denied("call_3", "computer_call"))
    unanswered.remember("", denied("call_4"))
    told = answered(unanswered, previous_response_id="resp_1", input=[])["input"]
    assert [(one["type"], one["call_id"]) for one in told] == [
        ("function_call_output", "call_1"),
        ("custom_tool_call_output", "call_2"),
    ]


@pytest.mark.parametrize("kind", sorted(OUTPUTS))
def test_each_kind_is_what_openai_takes(kind):
    known = {
        "function_call": items.FunctionCallOutput,
        "custom_tool_call": ResponseCustomToolCallOutputParam,
        "local_shell_call": items.LocalShellCallOutput,
        "shell_call": items.ShellCallOutput,
        "apply_patch_call": items.ApplyPatchCallOutput,
    }
    made = OUTPUTS[kind]("call_1", NO)
    TypeAdapter(known[kind]).validate_python(made)
    assert made["type"] == f"{kind}_output"
