"""Requests that are changed on their way, as programs and providers see it."""

import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from llmproxy_core import rulebook
from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.hashing import content_hash
from llmproxy_core.records import Enhanced
from llmproxy_core.simulator import Simulator, prompts
from llmproxy_core.simulator.handler import Seen
from llmproxy_core.simulator.prompts import Prompt
from tests.e2e.namespaced import Machine
from tests.e2e.tool_programs import PROGRAMS
from tests.mitm import Call, Mitmdump, wait_for
from tests.unit.enhancing.handing import APPEND, PROMPT, learnt

CONFIG = """
[[transformations]]
name = "brief"
order = 2
logic = [
  { op = "append_system", text = "Answer in one sentence." },
  { op = "set", parameter = "temperature", value = 0.5 },
]

[[transformations]]
name = "marked"
order = 1
logic = [{ op = "add_header", name = "x-marked", value = "yes" }]

[[transformations]]
name = "asks-the-pattern"
when = 'pattern.name == "summarize ticket"'
order = 3
logic = [{ op = "append_system", text = "Name the customer." }]

[[transformations]]
name = "without-refunds"
active = false
logic = [{ op = "drop_tools", names = ["refund"] }]

[[transformations]]
name = "cheaper"
when = 'model in ["gemini-2.5-pro", "gpt-5-pro", "us.anthropic.claude-opus-4-1-v1:0"]'
logic = [{ op = "model", to = "cheap-1" }]

[[transformations]]
name = "leaks"
when = 'model == "gpt-5-leaks"'
order = 9
logic = [{ op = "append_system", text = "Write to otto.maier@acme-corp.com." }]

[[policies]]
name = "only-known-models"
when = 'model == "cheap-1" and client.name == "careful"'
action = "block"

[[policies]]
name = "private"
when = 'finding.family == "pii"'
action = "redact_wire"

[[policies]]
name = "no-refunds"
when = 'namespace == "prefixed"'
action = "deny_tools"
tools = ["refund"]

[[namespaces]]
name = "prefixed"
prefix = "pay__"
match = { header = { "x-team" = "prefixed" } }
"""
SDKS = {"openai_chat": "openai", "openai_responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}  # fmt: skip
READ = {"openai_chat": prompts.chat, "openai_responses": prompts.responses, "anthropic": prompts.anthropic, "gemini": prompts.gemini}  # fmt: skip
TICKET = PROMPT.format("my printer never works and the invoice is late again")
QUESTIONS = (
    TICKET,
    'call find_orders with {"customer": "Berta", "limit": 3}',
    'call get_weather with {"city": "Oslo"} and call get_weather with {"city": "Rome"}',
    "Thank you.",
)
OPENAI = "https://api.openai.com/v1"
EXPERIMENT: dict[str, Any] = {
    "id": "0199-e",
    "name": "brief",
    "variants": [{"name": "kind", "operations": [APPEND | {"text": "Be kind."}]}],
    "shares": {"control": 0.5, "kind": 0.5},
    "status": "running",
    "when": 'client.name == "tried"',
    "namespace": "default",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True, hosts=["ollama.com"]) as running:
        yield running


@pytest.fixture(scope="module")
def ids() -> tuple[dict[str, Any], dict[str, str]]:
    return learnt()


@pytest.fixture(scope="module")
def improving(
    tmp_path_factory: pytest.TempPathFactory, provider: Simulator, ids: Any
) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("enhance")
    running = Mitmdump(folder, simulator=provider, config=CONFIG)
    running.home.path.mkdir(parents=True)
    began = {"at": time.time() - 100, "status": "running", "by": "anna", "why": ""}
    experiments = [EXPERIMENT | {"steps": [began]}]
    rulebook.write(running.home, [], tables=Tables((), experiments, {"default": ids[0]}))
    with running:
        yield running


@pytest.fixture
def machine(provider: Simulator, improving: Mitmdump) -> Machine:
    return Machine(provider, improving)


@pytest.fixture
def http(provider: Simulator, improving: Mitmdump) -> Iterator[httpx.Client]:
    provider.seen.clear()
    with httpx.Client(proxy=improving.url, verify=improving.trust(), timeout=60) as client:
        yield client


def ended(proxy: Mitmdump, since: int) -> list[Call]:
    def calls() -> list[Call] | None:
        found = proxy.calls()[since:]
        return found if found and all(one.closed for one in found) else None

    return wait_for(calls)


def told(call: Call) -> Enhanced:
    assert call.opened.enhanced is not None
    return call.opened.enhanced


def sent(seen: Seen) -> dict[str, str]:
    """The headers that came."""
    return {name.lower(): value for name, value in seen.headers}


def blocks(read: Prompt) -> list[str]:
    return [one.text for one in (*read.head, *read.said)]


@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize(
    ("stream", "simulate"),
    [(False, "echo=true"), (True, "echo=true"), (True, "echo=true,grain=7,encoding=gzip")],
)
def test_a_conversation_keeps_its_prefix_turn_by_turn(
    machine, improving, ids, program: str, stream: bool, simulate: str
):
    since = len(improving.calls())
    with machine.sdk(SDKS[program], simulate) as client:
        PROGRAMS[program](client, stream, QUESTIONS)
    received = [json.loads(seen.body) for seen in machine.received]
    assert len(received) == len(machine.tape) > len(QUESTIONS)
    for before, after in pairwise(received):
        had = blocks(READ[program](before))
        assert blocks(READ[program](after))[: len(had)] == had
    for seen, one in zip(machine.received, machine.tape, strict=True):
        assert b"Answer in one sentence." in seen.body
        assert b"Name the customer." in seen.body
        assert sent(seen)["x-marked"] == "yes"
        assert b"one sentence." not in one.request.replace(TICKET.encode(), b"")
    for call, seen in zip(ended(improving, since), machine.received, strict=True):
        assert told(call).applied == ["marked", "brief", "asks-the-pattern"]
        assert told(call).user == ids[1]["user"]
        assert call.request == seen.body
        assert call.opened.hash_out == content_hash(seen.body) != call.opened.hash_in
        assert ("x-marked", "yes") in call.opened.headers


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_prefix_policies_and_placeholders_hold_on_what_is_changed(machine, improving, program: str):
    since = len(improving.calls())
    email = "anna.schmidt@acme-corp.com"
    questions = (f"I am {email}.", 'call refund with {"order": "7"}', "Thanks")
    headers = {"x-team": "prefixed"}
    with machine.sdk(SDKS[program], "echo=true", **headers) as client:
        done = PROGRAMS[program](client, True, questions[:1])
    assert email in done.turns[0].text
    for seen in machine.received:
        assert email.encode() not in seen.body
        assert b'"refund"' not in seen.body
        assert b'"pay__refund"' not in seen.body
        assert b'"pay__find_orders"' in seen.body
        assert b"Answer in one sentence." in seen.body
        assert int(dict(seen.headers)["Content-Length"]) == len(seen.body)
    for call in ended(improving, since):
        assert "brief" in told(call).applied


def chat(http: httpx.Client, text: str, agent: str = "p", **more: Any) -> httpx.Response:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}
    return http.post(f"{OPENAI}/chat/completions", json=body, headers={"user-agent": agent})


def test_policies_judge_what_is_sent_and_not_what_came(http, provider, improving):
    since = len(improving.calls())
    assert chat(http, "Hello", "careful", model="gpt-5-pro").status_code == 403
    assert not provider.seen
    assert chat(http, "Hello", "other", model="gpt-5-pro").status_code == 200
    assert json.loads(provider.seen[-1].body)["model"] == "cheap-1"
    assert [told(call).kept for call in ended(improving, since)] == [0.0, 0.0]


def test_what_a_rule_writes_is_judged_as_well(http, provider, improving):
    since = len(improving.calls())
    assert chat(http, "Hello", model="gpt-5-leaks").status_code == 200
    assert b"Write to " in provider.seen[-1].body
    assert b"otto.maier" not in provider.seen[-1].body
    [call] = ended(improving, since)
    judged = call.opened.judged
    assert judged is not None
    assert [one.family for one in judged.found] == ["pii"]
    assert [(one.policy, one.outcome) for one in judged.decisions] == [("private", "redacted")]
    assert judged.decisions[0].findings == (0,)


def test_a_model_in_the_path_is_another_one_there(http, provider, improving):
    since = len(improving.calls())
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"
    http.post(url, json={"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]})
    [call] = ended(improving, since)
    assert provider.seen[-1].path.startswith("/v1beta/models/cheap-1:generateContent")
    assert call.opened.path.startswith("/v1beta/models/cheap-1:generateContent")
    assert "cheaper" in told(call).applied


@pytest.mark.parametrize("coding", ["gzip"])
def test_a_compressed_body_is_compressed_again(http, provider, improving, coding: str):
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hello there"}]}
    data = gzip.compress(json.dumps(body).encode())
    headers = {"content-encoding": coding, "content-type": "application/json"}
    http.post(f"{OPENAI}/chat/completions", content=data, headers=headers)
    seen = provider.seen[-1]
    assert sent(seen)["content-encoding"] == coding
    assert b"Answer in one sentence." in gzip.decompress(seen.body)


def test_a_signed_body_is_left_alone_and_says_so(http, provider, improving):
    since = len(improving.calls())
    body = b'{"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}'
    signed = "AWS4-HMAC-SHA256 Credential=AKIA/1/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0"  # fmt: skip
    headers = {"authorization": signed, "x-amz-content-sha256": "0" * 64, "x-amz-date": "1"}
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
    http.post(url, content=body, headers=headers)
    [call] = ended(improving, since)
    assert provider.seen[-1].body == body
    assert told(call).applied == ["marked"]
    assert dict(told(call).failed)["brief"] == "the client has signed the request"
    assert call.opened.hash_in == call.opened.hash_out


def test_what_is_no_prompt_is_not_touched_but_by_headers(http, provider, improving):
    body = b'{"model": "text-embedding-3-small",  "input": "Hello"}'
    http.post(f"{OPENAI}/embeddings", content=body, headers={"content-type": "application/json"})
    assert provider.seen[-1].body == body


@pytest.mark.parametrize("stream", [False, True])
def test_a_chain_of_answers_stays_in_its_arm(machine, improving, stream: bool):
    since, arms = len(improving.calls()), set()
    for number in range(8):
        with machine.sdk("openai", "", **{"user-agent": "tried"}) as client:
            last = None
            for turn in range(3):
                ask = {"model": "gpt-5", "input": f"{number} {stream} step {turn}"}
                ask |= {"previous_response_id": last} if last else {}
                if stream:
                    with client.responses.stream(**ask) as events:
                        for _ in events:
                            pass
                        last = events.get_final_response().id
                else:
                    last = client.responses.create(**ask).id
    calls = ended(improving, since)
    for turns in zip(*[iter(calls)] * 3, strict=True):
        assert len({repr(told(one).arms) + told(one).root.hex() for one in turns}) == 1
        [(_, arm)] = told(turns[0]).arms
        arms.add(arm)
        for one in turns:
            assert (b"Be kind." in one.request) == (arm == "kind")
    assert arms == {"control", "kind"}


def test_feedback_is_told_and_never_sent(http, provider, improving):
    before = len(improving.events())
    said = {"x-llmproxy-feedback": "chatcmpl-9a=up, resp_1=down, odd", "user-agent": "p"}
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "feedback"}]}
    since = len(improving.calls())
    http.post(f"{OPENAI}/chat/completions", json=body, headers=said)
    http.get(f"{OPENAI}/models", headers=said)
    for seen in provider.seen:
        assert not [name for name, _ in seen.headers if "feedback" in name.lower()]
    [call] = ended(improving, since)
    assert not [name for name, _ in call.opened.headers if "feedback" in name.lower()]
    events = [one for one in improving.events()[before:] if one.kind.startswith("feedback")]
    assert [(one.data.get("about"), one.data.get("verdict")) for one in events[:2]] == [
        ("chatcmpl-9a", "good"),
        ("resp_1", "bad"),
    ]
    assert {one.data["by"] for one in events} == {call.opened.id.hex(), ""}
    assert [one.kind for one in events].count("feedback_unread") == 2


class TestFiles:
    """Rules that change while the proxy runs."""

    @pytest.fixture
    def proxy(self, tmp_path: Any, provider: Simulator) -> Iterator[Mitmdump]:
        with Mitmdump(tmp_path, simulator=provider) as running:
            yield running

    def said(self, proxy: Mitmdump, provider: Simulator) -> str | None:
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
            chat(http, str(time.monotonic()))
        messages = json.loads(provider.seen[-1].body)["messages"]
        return messages[0]["content"] if messages[0]["role"] != "user" else None

    def hand(self, proxy: Mitmdump, *rules: Any, **more: Any) -> None:
        rulebook.write(proxy.home, [], tables=Tables(rules, **more))

    def test_those_of_the_table_come_and_go(self, proxy, provider):
        assert self.said(proxy, provider) is None
        self.hand(proxy, {"name": "a", "logic": [APPEND | {"text": "A"}]})
        wait_for(lambda: self.said(proxy, provider) == "A")
        self.hand(proxy, {"name": "a", "logic": [APPEND | {"text": "B"}]})
        wait_for(lambda: self.said(proxy, provider) == "B")
        self.hand(proxy, {"name": "a", "active": False, "logic": [APPEND]})
        wait_for(lambda: self.said(proxy, provider) is None)

    def test_one_that_is_broken_is_left_out_and_told(self, proxy, provider):
        good = {"name": "good", "logic": [APPEND | {"text": "G"}]}
        odd = {"name": "odd", "logic": [{"op": "explode"}]}
        nowhere = {
            "name": "nowhere",
            "when": 'wire == "openai.chat"',
            "logic": [{"op": "cache_breakpoint", "at": "system"}],
        }
        self.hand(proxy, odd, good, nowhere, experiments=[{"id": 3}], patterns={"default": {}})
        wait_for(lambda: self.said(proxy, provider) == "G")
        assert "the transformation odd: `transformations[0].logic[0]" in proxy.output
        assert "transformation nowhere: it can be done in no request" in proxy.output
        assert "An experiment cannot be read" in proxy.output

    def test_those_of_the_file_come_before_those_of_the_table(self, proxy, provider, tmp_path):
        self.hand(proxy, {"name": "a", "logic": [APPEND | {"text": "table"}]})
        wait_for(lambda: self.said(proxy, provider) == "table")
        rule = (
            '\n[[transformations]]\nname = "a"\nlogic = [{op = "append_system", text = "file"}]\n'
        )
        config = tmp_path / "mitm.toml"
        config.write_text(config.read_text() + rule)
        wait_for(lambda: self.said(proxy, provider) == "file")
        assert "the transformation a of mitm.toml comes before that of the table" in proxy.output
        config.write_text(config.read_text().replace("append_system", "explode"))
        wait_for(lambda: "What it said before stays in force" in proxy.output)
        assert self.said(proxy, provider) == "file"

    def test_a_rule_that_can_be_done_nowhere_ends_the_start(self, tmp_path, provider):
        rule = """
[[transformations]]
name = "odd"
when = 'provider.name == "openai"'
logic = [{ op = "cache_breakpoint", at = "system" }]
"""
        running = Mitmdump(tmp_path, simulator=provider, config=rule)
        with pytest.raises(AssertionError, match="mitmdump has ended"):
            running.start()
        assert "transformation odd: it can be done in no request" in running.output
