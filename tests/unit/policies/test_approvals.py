"""Calls that wait for a person."""

import asyncio
import json
import os

import pytest

from llmproxy_core.policies.approvals import Approvals, Hold, entry, read, tool_key

CALL = bytes(range(16))
OTHER = bytes(16)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "approvals"


def decide(file, id=CALL, decision="approved", tool=False, **more):
    new = file.with_suffix(".new")
    new.write_text(json.dumps({entry(id, tool=tool): {"decision": decision, **more}}))
    os.replace(new, file)


def stays():
    return False


async def waiting(file, hold, decision=None, gone=stays, **more):
    held = asyncio.create_task(Approvals(file).wait(CALL, hold, gone))
    if decision:
        await asyncio.sleep(0.02)
        assert not held.done()
        decide(file, decision=decision, **more)
    return await asyncio.wait_for(held, 60)


async def test_a_call_goes_on_when_somebody_approves_it(file):
    outcome = await waiting(file, Hold("guard"), "approved", by="anna", why="a test key")
    assert (outcome.state, outcome.passes) == ("approved", True)
    assert outcome.why == "approved by anna: a test key"


async def test_a_call_that_is_denied_is_told_by_whom(file):
    hold = Hold("guard", "Ask the security team.")
    outcome = await waiting(file, hold, "denied", by="anna")
    assert (outcome.state, outcome.passes) == ("denied", False)
    assert outcome.said == (
        "llmproxy: the policy guard held this call, and it was denied by anna. Ask the security team."
    )


@pytest.mark.parametrize(("on_timeout", "passes"), [("allow", True), ("deny", False)])
async def test_what_nobody_decides_is_decided_by_the_time_out(file, on_timeout, passes):
    outcome = await waiting(file, Hold("guard", "", 0.15, on_timeout))
    assert (outcome.state, outcome.passes) == ("expired", passes)
    assert bool(outcome.said) is not passes


async def test_a_program_that_hangs_up_ends_the_wait(file):
    ends = asyncio.get_running_loop().time() + 0.15
    outcome = await waiting(
        file, Hold("guard"), gone=lambda: asyncio.get_running_loop().time() > ends
    )
    assert (outcome.state, outcome.passes) == ("gone", False)


async def test_a_decision_about_another_call_decides_nothing(file):
    decide(file, OTHER)
    outcome = await waiting(file, Hold("guard", "", 0.15))
    assert outcome.state == "expired"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"x": 1}', b'{"x": {"decision": "yes"}}', b"\xff"]
)
def test_a_broken_file_approves_nothing(file, content):
    file.write_bytes(content)
    assert not read(file)


def test_a_file_that_is_not_there_approves_nothing(file):
    assert not read(file)


async def test_many_calls_wait_at_once_and_each_has_its_own_decision(file):
    approvals = Approvals(file)
    ids = [bytes([number]) * 16 for number in range(50)]
    held = [asyncio.create_task(approvals.wait(id, Hold("guard"), stays)) for id in ids]
    await asyncio.sleep(0.02)
    words = {id.hex(): {"decision": ("approved", "denied")[n % 2]} for n, id in enumerate(ids)}
    file.write_text(json.dumps(words))
    outcomes = await asyncio.wait_for(asyncio.gather(*held), 60)
    assert [outcome.passes for outcome in outcomes] == [n % 2 == 0 for n in range(50)]


KEY = tool_key("default", "shell", '{"command": "rm -rf build"}')


async def told(approvals, state):
    """What the same call is told when the file has been seen; it is looked at every 100 ms."""
    for _ in range(3000):
        outcome = approvals.tool(OTHER, Hold("shells"), KEY)
        if outcome.state == state:
            return outcome
        assert outcome.state == "still waiting"
        await asyncio.sleep(0.02)
    raise AssertionError("the file was not seen")


async def test_a_call_of_a_tool_is_refused_with_what_to_do_about_it(file):
    outcome = Approvals(file).tool(CALL, Hold("shells"), KEY)
    assert (outcome.state, outcome.passes) == ("waiting", False)
    assert "llmproxy approvals approve 00010203-0405-0607-0809-0a0b0c0d0e0f" in outcome.said


async def test_a_call_of_a_tool_passes_once_when_it_is_approved(file):
    approvals = Approvals(file)
    approvals.tool(CALL, Hold("shells"), KEY)
    decide(file, tool=True)
    assert (await told(approvals, "approved")).passes
    again = approvals.tool(OTHER, Hold("shells"), KEY)
    assert again.state == "waiting"
    assert "00000000-0000" in again.said, "it is asked for anew"


async def test_a_call_of_a_tool_that_is_made_again_waits_under_the_first_call(file):
    approvals = Approvals(file)
    approvals.tool(CALL, Hold("shells"), KEY)
    again = approvals.tool(OTHER, Hold("shells"), KEY)
    assert again.state == "still waiting", "it is in the queue once"
    assert "00010203" in again.said


async def test_a_call_of_a_tool_with_other_arguments_is_not_the_approved_one(file):
    approvals = Approvals(file)
    approvals.tool(CALL, Hold("shells"), KEY)
    decide(file, tool=True)
    await asyncio.sleep(0.25)
    for other in (("default", "shell", "{}"), ("other", "shell", '{"command": "rm -rf build"}')):
        assert not approvals.tool(OTHER, Hold("shells"), tool_key(*other)).passes


async def test_a_call_of_a_tool_that_is_denied_stays_so_and_is_not_asked_again(file):
    approvals = Approvals(file)
    approvals.tool(CALL, Hold("shells"), KEY)
    decide(file, decision="denied", by="anna", tool=True)
    assert not (await told(approvals, "denied")).passes
    assert approvals.tool(OTHER, Hold("shells"), KEY).state == "denied"


@pytest.mark.parametrize(("on_timeout", "state"), [("allow", "expired"), ("deny", "waiting")])
async def test_a_call_of_a_tool_that_nobody_decides_goes_by_the_time_out(file, on_timeout, state):
    now = [0.0]
    approvals = Approvals(file, clock=lambda: now[0])
    approvals.tool(CALL, Hold("shells", "", 60, on_timeout), KEY)
    now[0] = 61
    outcome = approvals.tool(OTHER, Hold("shells", "", 60, on_timeout), KEY)
    assert (outcome.state, outcome.passes) == (state, on_timeout == "allow")


async def test_two_calls_of_one_answer_are_not_approved_together(file):
    """Whoever approves has seen one of them."""
    approvals = Approvals(file)
    approvals.tool(CALL, Hold("shells"), KEY)
    other = tool_key("default", "shell", "rm -rf /")
    outcome = approvals.tool(CALL, Hold("shells"), other)
    assert (outcome.state, outcome.passes) == ("not asked", False)
    assert "make this one again, alone" in outcome.said
    decide(file, tool=True)
    assert (await told(approvals, "approved")).passes
    assert approvals.tool(OTHER, Hold("shells"), other).state == "waiting"


async def test_that_a_request_was_approved_approves_no_call_of_a_tool(file):
    approvals = Approvals(file)
    decide(file)
    assert (await approvals.wait(CALL, Hold("guard"), stays)).passes
    assert not approvals.tool(CALL, Hold("shells"), KEY).passes
    await asyncio.sleep(0.25)
    assert not approvals.tool(OTHER, Hold("shells"), KEY).passes
    decide(file, tool=True)
    assert (await told(approvals, "approved")).passes


async def test_calls_of_tools_are_forgotten_when_there_are_too_many(file):
    approvals = Approvals(file)
    for number in range(1500):
        approvals.tool(
            number.to_bytes(16), Hold("shells"), tool_key("default", "shell", str(number))
        )
    again = approvals.tool(CALL, Hold("shells"), tool_key("default", "shell", "0"))
    assert "00010203" in again.said
