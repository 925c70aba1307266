"""What the demo's programs get into is found, and its policies apply to it."""

import json
from pathlib import Path

import pytest

from llmproxy_core import config
from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.verdicts import Judged, Verdicts
from llmproxy_core.policies import Policies
from llmproxy_core.simulator import perils
from llmproxy_core.simulator.programs import ANTHROPIC, Call


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    made = Verdicts(DETECTORS)
    made.warm()
    return made


@pytest.fixture
def policies(tmp_path: Path) -> Policies:
    file = tmp_path / "mitm.toml"
    file.write_text(perils.POLICIES.format(patience=5))
    return Policies(config.read_policies(file))


def judged(verdicts: Verdicts, call: Call) -> Judged:
    wire = "anthropic.messages" if call.url == ANTHROPIC else "openai.chat"
    return verdicts.request(wire, "/v1/any", json.dumps(call.body).encode(), whole=True)


def families(judged: Judged) -> set[str]:
    return {one.finding.family for one in judged.found}


def test_an_order_in_a_page_is_found(verdicts: Verdicts) -> None:
    [call] = perils.browsing_agent(0)
    assert {"indirect_injection", "hidden_text", "exfiltration"} <= families(judged(verdicts, call))


def test_a_key_that_is_shown_to_a_model_is_found_whatever_it_is(verdicts: Verdicts) -> None:
    keys = [next(iter(perils.careless_agent(session))) for session in range(20)]
    assert all("secret" in families(judged(verdicts, call)) for call in keys)
    assert len({json.dumps(call.body) for call in keys}) == 20


def test_who_is_written_to_is_found(verdicts: Verdicts) -> None:
    [call] = perils.help_desk(0)
    assert families(judged(verdicts, call)) == {"pii"}


def test_a_program_that_is_installed_from_the_net_is_blocked(
    policies: Policies, verdicts: Verdicts
) -> None:
    text = Text(json.dumps({"command": perils.INSTALL}), "assistant", "arguments", "bash")
    found = verdicts.text(text).found
    [hit] = policies.hits("tool_call", {"tool": "bash"}, found)
    assert (hit.policy.name, hit.policy.enforced) == ("no-installs", True)


def test_an_order_in_a_page_would_be_blocked_if_its_policy_were_not_in_shadow(
    policies: Policies, verdicts: Verdicts
) -> None:
    [call] = perils.browsing_agent(0)
    found = judged(verdicts, call).found
    [hit] = policies.hits("request", {"request.tools": ["web_fetch"]}, found)
    assert (hit.policy.name, hit.policy.enforced) == ("orders-from-pages", False)


def test_a_call_that_may_deploy_waits(policies: Policies) -> None:
    [call] = perils.release_bot(0)
    tools = [tool["function"]["name"] for tool in call.body["tools"]]
    [hit] = policies.hits("request", {"request.tools": tools}, [])
    assert (hit.policy.action, hit.policy.settings.timeout_seconds) == ("hold", 5)
