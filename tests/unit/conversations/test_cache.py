"""Why a prompt cache was not read."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from llmproxy_core.conversations.cache import Call, explain
from llmproxy_core.conversations.segments import read_prompt
from llmproxy_core.model import Usage
from llmproxy_core.pricing import price

AT = datetime(2026, 5, 1, tzinfo=UTC)
MARK = {"cache_control": {"type": "ephemeral"}}
BODY: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "tools": [{"name": "Read", "input_schema": {}}, {"name": "Edit", "input_schema": {}}],
    "system": [{"type": "text", "text": "You help."}, {"type": "text", "text": "Rules.", **MARK}],
    "messages": [
        {"role": "user", "content": "Why is the sky blue?"},
        {"role": "assistant", "content": "It scatters."},
        {"role": "user", "content": [{"type": "text", "text": "More.", **MARK}]},
    ],
    "tool_choice": {"type": "auto"},
}
WRITTEN = Usage(20_000, 50, 0, 19_000)


def usd(usage: Usage) -> Decimal | None:
    return price("anthropic", "claude-sonnet-4-5", usage, AT).usd


def call(body, usage, after=60.0, changed=False, provider="anthropic"):
    prompt = read_prompt(json.dumps(body).encode(), body.get("model"))
    return Call(prompt, provider, AT + timedelta(seconds=after), usage, changed)


def next_turn(**changes):
    body = deepcopy(BODY) | changes
    body["messages"] = [
        *body["messages"],
        {"role": "assistant", "content": "Light."},
        {"role": "user", "content": [{"type": "text", "text": "And?", **MARK}]},
    ]
    return body


def missed(body, read=0, **more) -> Any:
    usage = Usage(21_000, 50, read, 20_000 - read)
    return explain(call(body, usage, **more), call(BODY, WRITTEN, after=0), usd)


def test_a_cache_that_was_read_is_no_miss():
    assert missed(next_turn(), read=19_000) is None


def test_without_a_cache_nothing_is_missed():
    plain = deepcopy(BODY)
    del plain["messages"][2]["content"][0]["cache_control"]
    del plain["system"][1]["cache_control"]
    before = call(plain, Usage(20_000, 50, 0, 0), after=0)
    assert explain(call(next_turn(), Usage(21_000, 50, 0, 20_000)), before, usd) is None


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model": "claude-opus-4-5"}, "the model from claude-sonnet-4-5 to claude-opus-4-5"),
        ({"tools": BODY["tools"][:1]}, "tools: tool 2 (Edit) is gone"),
        ({"tools": [*BODY["tools"], {"name": "New"}]}, "tools: tool 3 (New) is new"),
        ({"tools": [BODY["tools"][0] | {"description": "!"}, BODY["tools"][1]]}, "tool 1 (Read)"),
        ({"system": "You helped."}, "system block 1"),
        ({"tool_choice": {"type": "any"}}, "the parameter tool_choice"),
    ],
)
def test_the_first_change_is_named(changes, what):
    miss = missed(next_turn(**changes))
    assert (miss.cause, miss.change.what) == ("client", what)
    assert miss.sentence.endswith(f"the client changed {what}")


def test_a_changed_message_is_named_with_what_was_and_is():
    body = next_turn()
    body["messages"][1] = {"role": "assistant", "content": "It scatters!"}
    miss = missed(body, read=2_000)
    assert (miss.cause, miss.change.what) == ("client", "message 2 (assistant)")
    assert "scatters." in miss.change.was
    assert "scatters!" in miss.change.now
    assert (miss.expected, miss.read, miss.lost) == (19_000, 2_000, 17_000)


def test_marks_that_are_gone_are_named():
    body = next_turn()
    body["system"] = [{"type": "text", "text": "You help."}, {"type": "text", "text": "Rules."}]
    for message in body["messages"]:
        if isinstance(message["content"], list):
            del message["content"][0]["cache_control"]
    assert "there are none any more" in missed(body).sentence


def test_marks_that_lead_too_far_are_named():
    body = next_turn()
    del body["system"][1]["cache_control"]
    del body["messages"][2]["content"][0]["cache_control"]
    new = [{"role": "user", "content": f"{n}"} for n in range(30)]
    body["messages"][4:4] = new
    assert "too far" in missed(body).sentence


def test_a_moving_mark_is_no_change():
    body = next_turn()
    del body["messages"][2]["content"][0]["cache_control"]
    miss = missed(body)
    assert (miss.cause, miss.change) == ("provider", None)


def test_time_is_told_with_how_long_the_cache_holds():
    miss = missed(next_turn(), after=400)
    assert (miss.cause, miss.ttl, miss.idle) == ("time", 300, 400)
    hour = deepcopy(BODY)
    hour["system"][1]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    usage = Usage(21_000, 50, 0, 20_000)
    other = explain(call(next_turn(), usage, after=400), call(hour, WRITTEN, after=0), usd)
    assert other is not None
    assert other.cause == "provider"


def test_what_we_changed_is_ours():
    miss = missed(next_turn(system="You help, we say."), changed=True)
    assert (miss.cause, "we changed" in miss.sentence) == ("ours", True)


def test_the_cost_is_that_of_writing_again_what_could_have_been_read():
    miss = missed(next_turn())
    lost = Decimal(19_000) * (Decimal("3.75") - Decimal("0.30")) / 10**6
    assert miss.cost_usd == lost


def test_a_provider_that_caches_by_itself_is_held_to_its_steps():
    body = {"model": "gpt-5", "input": [{"role": "user", "content": "Why?"}]}
    after = {"model": "gpt-5", "input": [*body["input"], {"role": "user", "content": "So?"}]}
    before = call(body, Usage(2_000, 5, 0), after=0, provider="openai")
    miss: Any = explain(call(after, Usage(2_100, 5, 0), provider="openai"), before, usd)
    assert (miss.cause, miss.expected) == ("provider", 1_920)
    small = call(body, Usage(900, 5, 0), after=0, provider="openai")
    assert explain(call(after, Usage(1_000, 5, 0), provider="openai"), small, usd) is None
    read = call(after, Usage(2_100, 5, 1_920), provider="openai")
    assert explain(read, before, usd) is None
