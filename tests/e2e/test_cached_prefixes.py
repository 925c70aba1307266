"""Changed conversations keep what is cached of them: nothing is simulated but the provider, which
counts cached prefixes as real ones do."""

from collections.abc import Iterator

import pytest

from llmproxy_core.simulator import Controls, Simulator
from tests.e2e.cached import TURNS, WIRES, chained, converse_for
from tests.mitm import Mitmdump

pytestmark = pytest.mark.system

CONFIG = """
[[transformations]]
name = "briefly"
when = 'client.name == "changed"'
logic = [{ op = "append_system", text = "Answer in one sentence." }]

[[transformations]]
name = "examples"
when = 'client.name == "shown"'
logic = [{ op = "add_messages", messages = [
  { role = "user", text = "Which test fails?" }, { role = "assistant", text = "That of the basket." },
] }]

[[transformations]]
name = "marked"
when = 'client.name == "marked" and wire in ["anthropic.messages", "bedrock.converse"]'
logic = [{ op = "cache_breakpoint", at = "system" }, { op = "cache_breakpoint", at = -1 }]
"""
KEPT = 0.95
EDITS = {"changed": "Answer in one sentence.", "shown": "That of the basket."}
BEDROCK = "bedrock-runtime.eu-central-1.amazonaws.com"


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(default=Controls(caching=True), keep_bodies=True, hosts=[BEDROCK]) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("cached")
    with Mitmdump(folder, simulator=provider, config=CONFIG) as running:
        yield running


def seen(provider: Simulator) -> list[str]:
    """What the provider read of the last conversation."""
    return [one.body.decode() for one in list(provider.seen)[-TURNS:]]


@pytest.mark.parametrize("agent", ["changed", "shown"])
@pytest.mark.parametrize("wire", WIRES)
def test_a_changed_conversation_of_twenty_turns_keeps_its_cache(
    proxy: Mitmdump, provider: Simulator, wire: str, agent: str
) -> None:
    untouched = converse_for(proxy, wire, f"untouched-{agent}")
    assert not any(EDITS[agent] in body for body in seen(provider))
    changed = converse_for(proxy, wire, agent)
    assert all(EDITS[agent] in body for body in seen(provider))
    assert sum(untouched) > 10_000
    assert sum(changed) >= KEPT * sum(untouched)


def test_a_chain_of_answers_keeps_its_cache(proxy: Mitmdump, provider: Simulator) -> None:
    untouched = chained(proxy, "untouched-chain")
    changed = chained(proxy, "changed")
    assert all(EDITS["changed"] in body for body in seen(provider))
    assert sum(untouched) > 10_000
    assert sum(changed) >= KEPT * sum(untouched)


@pytest.mark.parametrize("wire", ["anthropic", "converse"])
def test_marks_that_a_rule_sets_make_a_cache(proxy: Mitmdump, wire: str) -> None:
    untouched = converse_for(proxy, wire, "unmarking", marks=False)
    marked = converse_for(proxy, wire, "marked", marks=False)
    by_itself = converse_for(proxy, wire, "marking")
    assert sum(untouched) == 0
    assert sum(marked) >= KEPT * sum(by_itself) > 10_000
