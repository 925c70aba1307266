"""Values that do not reach the provider, and tools that it is not offered, as programs see it."""

import gzip
import json
import random
from base64 import b64encode
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import httpx
import openai
import pytest

from llmproxy_core.records import Decision
from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import Machine, said
from tests.e2e.tool_programs import PROGRAMS, Transcript
from tests.mitm import Call, Mitmdump, wait_for

POLICIES = """
[[policies]]
name = "private"
when = 'finding.family in ["secret", "pii"] and client.name != "strict"'
action = "redact_wire"

[[policies]]
name = "strict"
when = 'finding.family == "pii" and client.name == "strict"'
action = "redact_wire"
on_fault = "closed"

[[policies]]
name = "no-refunds"
when = 'client.name == "tooled"'
action = "deny_tools"
tools = ["refund", "web_search*"]

[[namespaces]]
name = "prefixed"
prefix = "pay__"
plain_text = true
match = { header = { "x-team" = "prefixed" } }
"""
EMAIL = "anna.schmidt@acme-corp.com"
KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
CARD = "4929 8273 4418 0019"
PHONE = "+49 30 901820-12"
PRIVATE = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join(b64encode(random.Random(n).randbytes(48)).decode() for n in range(12))
    + "\n-----END PRIVATE KEY-----\n"
)
VALUES = (EMAIL, KEY, CARD, PHONE)
SDKS = {"openai_chat": "openai", "openai_responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}  # fmt: skip
QUESTIONS = (
    f"I am {EMAIL}, my key is {KEY}. Say so.",
    f'call find_orders with {{"customer": "{EMAIL}", "limit": 3}}',
    f'call get_weather with {{"city": "Oslo"}} and call refund with {{"order": "{CARD} \\u00e9"}}',
    f"Phone me: {PHONE}, or write to {EMAIL} or {EMAIL.upper()}.",
    "Thank you.",
)


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True, hosts=["ollama.com"]) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("edits")
    with Mitmdump(folder, simulator=provider, config=POLICIES) as running:
        yield running


@pytest.fixture
def machine(provider: Simulator, guarded: Mitmdump) -> Machine:
    return Machine(provider, guarded)


def run(
    machine: Machine,
    program: str,
    stream: bool,
    simulate: str,
    questions: Sequence[str] = QUESTIONS,
    **headers: str,
) -> Transcript:
    with machine.sdk(SDKS[program], simulate, **headers) as client:
        return PROGRAMS[program](client, stream, questions)


def told(done: Transcript) -> list[tuple[Any, str]]:
    return [(turn.calls, turn.text) for turn in done.turns]


def ended(proxy: Mitmdump, since: int) -> list[Call]:
    def calls() -> list[Call] | None:
        found = proxy.calls()[since:]
        return found if found and all(one.closed for one in found) else None

    return wait_for(calls)


def decisions(call: Call) -> list[Decision]:
    judged = call.opened.judged
    return list(judged.decisions) if judged else []


@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize(
    ("stream", "simulate"),
    [
        (False, ""),
        (True, ""),
        (True, ",grain=7"),
        (False, ",encoding=gzip"),
        (True, ",encoding=br"),
    ],
)
def test_a_program_notices_nothing_and_the_provider_learns_nothing(
    machine, provider, guarded, program: str, stream: bool, simulate: str
):
    since = len(guarded.calls())
    through = told(run(machine, program, stream, "echo=true" + simulate))
    received = machine.received
    assert len(received) >= len(QUESTIONS)
    for seen in received:
        assert not [value for value in VALUES if value.encode() in seen.body]
    assert through == told(run(Machine(provider), program, stream, "echo=true" + simulate))
    for call in ended(guarded, since):
        kept = repr(call).encode() + call.request + call.response
        assert not [value for value in VALUES if value.encode() in kept]
        assert "redacted" in [one.outcome for one in decisions(call)]


@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_of_many_lines_goes_through_json_and_back(
    machine, provider, program: str, stream: bool
):
    account = json.dumps({"client_email": EMAIL, "private_key": PRIVATE})
    questions = (
        f"This is my account: {account}",
        f'call find_orders with {{"customer": {json.dumps(PRIVATE)}, "limit": 1}}',
        f'call find_orders with {{"customer": {json.dumps(account)}, "limit": 1}}',
        "Thank you.",
    )
    through = told(run(machine, program, stream, "echo=true", questions))
    assert not [seen for seen in machine.received if PRIVATE[40:100].encode() in seen.body]
    assert through == told(run(Machine(provider), program, stream, "echo=true", questions))


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_prefixes_of_names_and_placeholders_go_well_together(machine, provider, program: str):
    headers = {"x-team": "prefixed"}
    through = told(run(machine, program, True, "echo=true,required_prefix=pay__", **headers))
    assert not [
        value for value in VALUES for seen in machine.received if value.encode() in seen.body
    ]
    assert any(b"pay__find_orders" in seen.body for seen in machine.received)
    assert through == told(run(Machine(provider), program, True, "echo=true"))


def test_every_turn_begins_with_the_bytes_of_the_one_before(machine):
    run(machine, "openai_chat", True, "echo=true")
    bodies = [seen.body[seen.body.index(b'"messages"') :] for seen in machine.received]
    for before, after in pairwise(bodies):
        turns = before[: before.index(b"]", before.rindex(b'"role"'))]
        assert after.startswith(turns)


def post(proxy: Mitmdump, agent: str, body: Any, **headers: str) -> httpx.Response:
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        fields = {"user-agent": f"{agent}/1.0", "content-type": "application/json"} | headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return http.post(
            "https://api.openai.com/v1/chat/completions", content=content, headers=fields
        )


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-5-sim-echo", "messages": said(text), **more}


def test_a_compressed_request_stays_one(machine, guarded):
    body = gzip.compress(json.dumps(asking(f"I am {EMAIL}")).encode())
    answer = post(guarded, "test", body, **{"content-encoding": "gzip"})
    assert answer.json()["choices"][0]["message"]["content"] == f"I am {EMAIL}"
    assert EMAIL.encode() not in gzip.decompress(machine.received[0].body)


def test_a_signed_request_passes_or_is_refused_as_the_policy_says(machine, guarded):
    digest = {"content-digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"}
    assert post(guarded, "test", asking(f"I am {EMAIL}"), **digest).status_code == 200
    assert EMAIL.encode() in machine.received[0].body
    refused = post(guarded, "strict", asking(f"I am {EMAIL}"), **digest)
    assert refused.status_code == 403
    assert "signed" in refused.json()["error"]["message"]
    assert len(machine.received) == 1
    first, second = ended(guarded, -2)
    assert [one.outcome for one in decisions(first)] == ["not done"]
    assert [one.outcome for one in decisions(second)] == ["refused"]


def test_what_was_found_once_is_not_sent_later_in_the_conversation(machine, guarded):
    first = said("Log in: username = root, password = Wq7-tR9x-Zp2")
    post(guarded, "test", {"model": "gpt-5-sim-echo", "messages": first})
    later = [*first, {"role": "assistant", "content": "Ok"}, *said("Is Wq7-tR9x-Zp2 a good one?")]
    answer = post(guarded, "test", {"model": "gpt-5-sim-echo", "messages": later})
    assert answer.json()["choices"][0]["message"]["content"] == later[-1]["content"]
    assert not [seen for seen in machine.received if b"Wq7-tR9x" in seen.body]


def test_a_conversation_that_is_kept_by_the_provider_goes_on(machine):
    with machine.sdk("openai", "echo=true") as client:
        first = client.responses.create(model="gpt-5", input=f"I am {EMAIL}")
        sent = json.loads(machine.received[0].body)["input"].removeprefix("I am ")
        more: dict[str, Any] = {"previous_response_id": first.id}
        later = client.responses.create(model="gpt-5", input=f"You are {sent}", **more)
        other = client.responses.create(model="gpt-5", input=f"You are {sent}")
        with client.responses.stream(model="gpt-5", input="Hi", **more) as events:
            list(events)
    assert first.output_text == f"I am {EMAIL}"
    assert later.output_text in (f"You are {EMAIL}", f"You are {sent}")
    assert other.output_text == f"You are {sent}"


def test_what_is_fetched_later_is_restored_as_well(machine):
    params = {
        "model": "claude-opus-4-8",
        "max_tokens": 9,
        "messages": said(f"I am {EMAIL}"),
    }
    batch = {"requests": [{"custom_id": "a", "params": params}]}
    with machine.sdk("anthropic", "echo=true") as client:
        made = client.messages.batches.create(**batch)
        [result] = client.messages.batches.results(made.id)
    assert result.result.message.content[0].text == f"I am {EMAIL}"
    with machine.sdk("openai", "echo=true") as client:
        first = client.responses.create(model="gpt-5", input=f"I am {EMAIL}")
        assert client.responses.retrieve(first.id).output_text == f"I am {EMAIL}"
    assert not [seen for seen in machine.received if EMAIL.encode() in seen.body]


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("refund", "get_weather")
]


def test_tools_that_are_denied_are_not_offered(machine, guarded):
    asked = asking("use a tool", tools=TOOLS, tool_choice="required")
    answer = post(guarded, "tooled", asked).json()
    called = answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"]
    assert called == "get_weather"
    assert json.loads(machine.received[0].body) == {**asked, "tools": TOOLS[1:]}
    [call] = ended(guarded, -1)
    assert [(one.outcome, one.why) for one in decisions(call)] == [("denied", "refund")]


def test_without_any_tool_left_a_request_is_one_without_tools(machine, guarded):
    asked = asking("hello", tools=TOOLS[:1], tool_choice="auto")
    assert post(guarded, "tooled", asked).status_code == 200
    assert json.loads(machine.received[0].body) == asking("hello")


def test_a_call_without_such_tools_says_so(machine, guarded):
    post(guarded, "tooled", asking("hello", tools=TOOLS[1:]))
    [call] = ended(guarded, -1)
    assert [(one.outcome, one.why) for one in decisions(call)] == [("not offered", "")]


def test_an_error_that_repeats_the_request_says_what_was_asked(machine):
    with machine.sdk("openai", "status=500") as client, pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model="gpt-5", messages=said(f"I am {EMAIL}"))
    assert EMAIL.encode() not in machine.received[0].body
