"""The simulated advisor: asked as OpenRouter is, it says what may help."""

import httpx

from llmproxy_core.advisor.wire import question, reply
from llmproxy_core.enhancements.advised.proposal import Proposals, operation
from llmproxy_core.simulator import Simulator
from llmproxy_core.simulator.advice import ABOUT
from llmproxy_core.simulator.quality import WEAKNESSES

MODEL = "anthropic/claude-sonnet-4.5"
QUALITY = {"x-simulate": "quality=true"}


def asked(text: str):
    said = [
        {"role": "system", "content": "You propose changes."},
        {"role": "user", "content": text},
    ]
    body = question(MODEL, ABOUT, said, Proposals.model_json_schema(), 1024)
    with Simulator() as provider:
        url = f"{provider.http_url}/api/v1/chat/completions"
        answer = httpx.post(url, json=body, headers=QUALITY, trust_env=False, timeout=60)
    return reply(answer.status_code, answer.headers, answer.content)


def test_it_wants_its_advice_added_to_the_system_prompt():
    weakness = WEAKNESSES[0]
    told = asked(f"the template\n{weakness.words.capitalize()} and the rest")
    (change,) = Proposals.model_validate_json(told.text).changes
    (proposed,) = change.operations
    spelled = operation(proposed)
    assert isinstance(spelled, dict)
    assert spelled["op"] == "append_system"
    assert weakness.advice in str(spelled["text"])
    assert change.confidence > 0.7


def test_it_has_nothing_to_say_about_what_it_does_not_know():
    assert Proposals.model_validate_json(asked("some other template").text).changes == []


def test_it_tells_its_cost():
    assert 0 < (asked("some other template").usd or 0) < 0.01
