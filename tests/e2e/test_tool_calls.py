"""Calls of tools in answers that policies let go on, or replace, as programs and SDKs see it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import Machine
from tests.e2e.tool_programs import PROGRAMS, Transcript
from tests.mitm import Call, Mitmdump, wait_for

POLICIES = """
[[policies]]
name = "no-refunds"
when = 'tool == "refund"'
action = "block"

[[policies]]
name = "no-shell"
when = 'finding.family == "dangerous_tool"'
action = "block"
"""
SDKS = {"openai_chat": "openai", "openai_responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}  # fmt: skip
QUESTIONS = (
    'call get_weather with {"city": "Paris"}',
    'call refund with {"order": "7"}',
    'call find_orders with {"customer": "anna"} and call refund with {"order": "find_orders"}',
    'call refund with {"order": "8"} and call get_weather with {"city": "Oslo"}',
    "Thank you.",
)
SAID = "policy no-refunds"
OFFERED = re.compile(r'"tools":\[.*?\}\],')
"""What answers of the Responses API repeat of their request."""

each_sdk = pytest.mark.parametrize("program", sorted(PROGRAMS))
each_way = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True, hosts=["ollama.com"]) as running:
        yield running


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    """It asks about calls, and stops none."""
    folder = tmp_path_factory.mktemp("watching")
    config = POLICIES.replace('"refund"', '"none"')
    with Mitmdump(folder, simulator=provider, config=config) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("tool-calls")
    with Mitmdump(folder, simulator=provider, config=POLICIES) as running:
        yield running


def run(machine: Machine, program: str, stream: bool, simulate: str = "") -> Transcript:
    with machine.sdk(SDKS[program], simulate) as client:
        return PROGRAMS[program](client, stream, QUESTIONS)


def names(done: Transcript) -> list[list[str]]:
    return [[name for name, _, _ in turn.calls] for turn in done.turns]


def ended(proxy: Mitmdump, since: int) -> list[Call]:
    def calls() -> list[Call] | None:
        found = proxy.calls()[since:]
        return found if found and all(one.closed for one in found) else None

    return wait_for(calls)


@each_sdk
@each_way
def test_an_sdk_gets_a_text_in_place_of_a_call_and_the_others(provider, guarded, program, stream):
    machine = Machine(provider, guarded)
    done = run(machine, program, stream)
    assert names(done) == [["get_weather"], [], ["find_orders"], ["get_weather"], []]
    assert SAID in done.turns[1].text
    assert any(SAID in one for one in done.returned)
    assert not [one for one in done.returned if '"refund"' in OFFERED.sub("", one)]


@each_sdk
@each_way
@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_the_same_in_a_content_coding(provider, guarded, program, stream, coding):
    machine = Machine(provider, guarded)
    done = run(machine, program, stream, f"encoding={coding}")
    assert names(done) == [["get_weather"], [], ["find_orders"], ["get_weather"], []]
    assert SAID in done.turns[1].text


@each_sdk
@each_way
def test_answers_in_which_nothing_is_denied_are_the_same_byte_for_byte(
    provider, watching, program, stream
):
    before = len(watching.calls())
    done = run(Machine(provider, watching), program, stream)
    assert names(done)[1:4] == [["refund"], ["find_orders", "refund"], ["refund", "get_weather"]]
    for call in ended(watching, before):
        assert call.closed
        assert call.closed.hash_in == call.closed.hash_out


@each_way
def test_a_conversation_that_the_provider_keeps_goes_on_after_a_call_was_denied(
    provider, guarded, stream
):
    machine = Machine(provider, guarded)
    tools: Any = [{"type": "function", "name": "refund", "parameters": {"type": "object"}}]
    ask: Any = {"model": "gpt-5", "tools": tools, "input": 'call refund with {"order": "7"}'}
    with machine.sdk("openai") as client:
        if stream:
            with client.responses.stream(**ask) as told:
                first = told.until_done().get_final_response()
        else:
            first = client.responses.create(**ask)
        client.responses.create(model="gpt-5", input="Thanks", previous_response_id=first.id)
    assert SAID in first.output_text
    output, said = json.loads(machine.received[1].body)["input"]
    assert (output["type"], said["content"]) == ("function_call_output", "Thanks")
    assert SAID in output["output"]


def test_what_was_decided_is_told_with_the_call(provider, guarded):
    before = len(guarded.calls())
    run(Machine(provider, guarded), "openai_chat", True)
    told = [
        (one.policy, one.action, one.outcome)
        for call in ended(guarded, before)
        for one in (call.closed.judged.decisions if call.closed.judged else [])
    ]
    assert told == [("no-refunds", "block", "blocked")] * 3


@each_way
def test_a_dangerous_command_does_not_reach_the_program(provider, guarded, stream):
    machine = Machine(provider, guarded)
    tools: Any = [{"name": "bash", "input_schema": {"type": "object"}}]
    ask: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 900, "tools": tools}
    for command, calls in (("ls -la", 1), ("rm -rf ~/ --no-preserve-root", 0)):
        text = f"call bash with {json.dumps({'command': command})}"
        ask["messages"] = [{"role": "user", "content": text}]
        with machine.sdk("anthropic") as client:
            if stream:
                with client.messages.stream(**ask) as events:
                    said = events.get_final_message()
            else:
                said = client.messages.create(**ask)
        assert len([one for one in said.content if one.type == "tool_use"]) == calls
        assert said.stop_reason == ("tool_use" if calls else "end_turn")
        assert said.usage.output_tokens > 0
