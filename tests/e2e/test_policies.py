"""What policies do to requests, as programs and providers see it."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google.genai import errors

from llmproxy_core.records import Decision, Judgement
from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import Machine, said
from tests.mitm import Call, Mitmdump, wait_for

pytestmark = pytest.mark.system

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
URL = "https://api.openai.com/v1/chat/completions"
POLICIES = """
[capture]
max_body = "256KiB"

[[policies]]
name = "keys"
when = 'finding.family == "secret" and client.name != "trusted"'
action = "block"

[[policies]]
name = "friends"
when = 'finding.family == "secret" and client.name == "friend"'
action = "allow"
priority = 10

[[policies]]
name = "models"
when = 'client.name == "frugal"'
action = "allow_models"
models = ["gpt-*-mini"]

[[policies]]
name = "slow"
when = 'client.name == "greedy"'
action = "throttle"
per_minute = 5

[[policies]]
name = "watch"
when = 'finding.family == "pii"'
action = "block"
mode = "shadow"

[[policies]]
name = "many-tools"
when = 'client.name == "tooled" and "bash" in request.tools and request.messages > 1'
action = "block"
message = "No bash here."
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("policies")
    with Mitmdump(folder, simulator=provider, config=POLICIES) as running:
        yield running


@pytest.fixture
def machine(provider: Simulator, guarded: Mitmdump) -> Machine:
    return Machine(provider, guarded)


def post(proxy: Mitmdump, text: str, agent: str = "test", **more: Any) -> httpx.Response:
    body = {"model": "gpt-5", "messages": said(text), **more}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        return http.post(URL, json=body, headers={"user-agent": f"{agent}/1.0"})


def last(proxy: Mitmdump) -> Call:
    """The call that came last, when it has ended."""

    def ended() -> Call | None:
        calls = proxy.calls()
        return calls[-1] if calls and calls[-1].closed else None

    return wait_for(ended)


def judged(call: Call) -> Judgement:
    assert call.opened.judged is not None
    return call.opened.judged


def decisions(call: Call) -> list[Decision]:
    told = call.opened.judged
    return list(told.decisions) if told else []


def test_the_sdk_of_openai_raises_its_own_exception(machine):
    with machine.sdk("openai") as client, pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model="gpt-5", messages=said(f"my key is {KEY}"))
    assert "policy keys" in str(caught.value)
    assert KEY not in str(caught.value)
    assert machine.received == []


def test_the_sdk_of_anthropic_raises_its_own_exception(machine):
    with machine.sdk("anthropic") as client, pytest.raises(anthropic.PermissionDeniedError):
        client.messages.create(
            model="claude-opus-4-8", max_tokens=10, messages=said(f"my key is {KEY}")
        )
    assert machine.received == []


def test_the_sdk_of_google_raises_its_own_exception(machine):
    with machine.sdk("gemini") as client, pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="gemini-2.5-flash", contents=f"my key is {KEY}")
    assert caught.value.code == 403
    assert machine.received == []


def test_a_stream_is_refused_before_it_begins(machine):
    with machine.sdk("openai") as client, pytest.raises(openai.PermissionDeniedError):
        client.chat.completions.create(
            model="gpt-5", messages=said(f"my key is {KEY}"), stream=True
        )


def test_what_was_blocked_is_blocked_again_in_every_later_turn(guarded, machine):
    turns = [*said(f"my key is {KEY}"), {"role": "assistant", "content": "No."}, *said("Why?")]
    body = {"model": "gpt-5", "messages": turns}
    with httpx.Client(proxy=guarded.url, verify=guarded.trust(), timeout=60) as http:
        answers = [http.post(URL, json=body) for _ in range(2)]
    assert [one.status_code for one in answers] == [403, 403]
    assert machine.received == []


def test_what_was_decided_is_recorded_with_its_finding(guarded):
    assert post(guarded, f"my secret {KEY} stays").status_code == 403
    call = last(guarded)
    (decision,) = decisions(call)
    assert (decision.policy, decision.mode, decision.outcome) == ("keys", "active", "blocked")
    found = judged(call).found[decision.findings[0]]
    assert found.family == "secret"
    assert found.excerpt.startswith("my secret [secret:")
    assert found.excerpt[found.start : found.end].startswith("[secret:")
    assert call.status == 403


def test_a_finding_is_told_once_in_a_conversation(guarded):
    first = "write to jane.roe@example.com"
    turns = [*said(first), {"role": "assistant", "content": "Done."}, *said("Thanks!")]
    post(guarded, first)
    told = [one.family for one in judged(last(guarded)).found]
    assert told == ["pii"]
    post(guarded, "", messages=turns)
    again = judged(last(guarded))
    assert again.found == []
    assert [(d.policy, d.mode, d.findings) for d in again.decisions] == [("watch", "shadow", ())]


def test_an_allowed_finding_passes_the_policies_after_it(guarded):
    assert post(guarded, f"my key is {KEY}", agent="friend").status_code == 200
    assert [d.outcome for d in decisions(last(guarded))] == ["allowed"]


def test_shadow_changes_nothing_and_tells(guarded):
    assert post(guarded, "mail jane.doe@example.com please").status_code == 200
    (decision,) = decisions(last(guarded))
    assert (decision.policy, decision.mode, decision.outcome) == ("watch", "shadow", "blocked")


def test_only_allowed_models_pass(guarded):
    assert post(guarded, "hi", agent="frugal").status_code == 403
    assert post(guarded, "hi", agent="frugal", model="gpt-5-mini").status_code == 200


def test_who_is_too_fast_is_told_when_to_come_again(guarded):
    answers = [post(guarded, f"hi {number}", agent="greedy") for number in range(4)]
    assert answers[0].status_code == 200
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert 1 <= int(refused[-1].headers["retry-after"]) <= 12


def test_a_policy_may_ask_what_only_the_body_tells(guarded):
    tool = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
    turns = [*said("hi"), {"role": "assistant", "content": "Hi!"}, *said("Go on")]
    once = post(guarded, "hi", agent="tooled", tools=[tool])
    twice = post(guarded, "", agent="tooled", tools=[tool], messages=turns)
    assert (once.status_code, twice.status_code) == (200, 403)
    assert twice.json()["error"]["message"] == "No bash here."


def test_a_policy_that_is_changed_holds_within_seconds(tmp_path, provider):
    with Mitmdump(tmp_path, simulator=provider, config=POLICIES) as proxy:
        assert post(proxy, f"my key is {KEY}").status_code == 403
        config = tmp_path / "mitm.toml"
        config.write_text(config.read_text().replace('action = "block"', 'action = "flag"'))
        wait_for(lambda: post(proxy, f"my key is {KEY}").status_code == 200 or None)


BREAKING = {
    "raises": "raise RuntimeError('sabotaged')",
    "hangs": "while True: pass",
    "devours": "raise MemoryError",
}
CLOSED = """
[[policies]]
name = "closed"
when = 'finding.family == "pii" and client.name != "bold"'
action = "flag"
on_fault = "closed"
"""


@pytest.mark.parametrize("how", BREAKING)
@pytest.mark.parametrize("policy", ["open", "closed"])
def test_a_broken_detector_stops_calls_only_where_a_policy_fails_closed(
    tmp_path, provider, how, policy
):
    script = tmp_path / "saboteur.py"
    script.write_text(
        "from llmproxy_core.anomaly.pii.detector import Pii\n"
        "def find(self, text):\n"
        f"    {BREAKING[how]}\n"
        "Pii.find = find\n"
    )
    config = CLOSED.replace("closed", policy)
    with Mitmdump(tmp_path, "-s", str(script), simulator=provider, config=config) as proxy:
        answer = post(proxy, "hello")
        call = last(proxy)
        assert post(proxy, "hello", agent="bold").status_code == 200
    assert answer.status_code == (200 if policy == "open" else 503)
    assert judged(call).faults


def test_a_body_too_large_to_be_judged_is_refused_by_a_policy_that_fails_closed(tmp_path, provider):
    config = CLOSED + '[capture]\nmax_body = "4KiB"\n'
    with Mitmdump(tmp_path, simulator=provider, config=config) as proxy:
        assert post(proxy, "small").status_code == 200
        assert post(proxy, "large " * 2000).status_code == 503


LARGE = """
[capture]
max_body = "4KiB"

[[policies]]
name = "no-shell"
when = 'client.name == "tooled"'
action = "deny_tools"
tools = ["sh"]
on_fault = "ON_FAULT"

[[policies]]
name = "hidden"
when = 'client.name == "hiding" and finding.family == "secret"'
action = "redact_wire"
on_fault = "ON_FAULT"

[[policies]]
name = "nobody"
when = 'client.name == "barred"'
action = "block"
"""


@pytest.mark.parametrize(("on_fault", "status"), [("open", 200), ("closed", 503)])
def test_a_body_too_large_to_be_changed_follows_on_fault(tmp_path, provider, on_fault, status):
    config = LARGE.replace("ON_FAULT", on_fault)
    with Mitmdump(tmp_path, simulator=provider, config=config) as proxy:
        for agent in ("tooled", "hiding"):
            assert post(proxy, "small", agent=agent).status_code == 200
            assert post(proxy, "large " * 2000, agent=agent).status_code == status
        assert post(proxy, "large " * 2000, agent="other").status_code == 200
        assert post(proxy, "large " * 2000, agent="barred").status_code == 403


def test_a_key_that_is_there_twice_and_a_batch_of_a_file_follow_on_fault(tmp_path, provider):
    first = {"model": "gpt-5", "messages": said(f"my key is {KEY}")}
    body = json.dumps(first)[:-1] + ', "messages": []}'
    config = CLOSED.replace("pii", "secret")
    blocking = config.replace("closed", "open", 2).replace('"flag"', '"block"')
    for text, status in ((config, 503), (blocking, 403)):
        with (
            Mitmdump(tmp_path / str(status), simulator=provider, config=text) as proxy,
            httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http,
        ):
            assert http.post(URL, content=body).status_code == status
            batch = http.post("https://api.openai.com/v1/batches", json={"input_file_id": "f"})
            assert (batch.status_code == 503) == (status == 503)


def test_a_coding_that_nobody_knows_is_refused_by_a_policy_that_fails_closed(tmp_path, provider):
    body = json.dumps({"model": "gpt-5", "messages": said("hi")}).encode()
    headers = {"content-encoding": "x-odd", "content-type": "application/json"}
    with (
        Mitmdump(tmp_path, simulator=provider, config=CLOSED) as proxy,
        httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http,
    ):
        assert http.post(URL, content=body, headers=headers).status_code == 503
