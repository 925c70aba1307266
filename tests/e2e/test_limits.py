"""Limits and budgets, as programs and providers meet them."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest
from google.genai import errors

from llmproxy_core.simulator import Simulator
from tests.e2e.limited import (
    CHAT,
    ask,
    client,
    counted,
    during,
    limit,
    namespace,
    sent,
    told,
    used,
)
from tests.e2e.namespaced import Machine, said
from tests.mitm import BIN, Mitmdump, wait_for

CONFIG = "\n".join(
    [
        limit("few", requests_per_minute=1, burst=2, per=["provider"]),
        limit("stream", requests_per_minute=1, burst=1),
        limit("patient", requests_per_minute=60, burst=1),
        limit("tokens", tokens_per_minute=1_000_000),
        limit("silent", tokens_per_minute=1_000_000),
        limit("hasty", tokens_per_minute=1_000_000),
        limit("hurried", tokens_per_minute=1_000_000),
        limit("failing", tokens_per_minute=1_000_000),
        limit("refused", tokens_per_minute=1_000_000, concurrent=1),
        limit("parallel", tokens_per_minute=5000),
        limit("fleeing", tokens_per_minute=5000),
        limit("large", tokens_per_minute=1000),
        limit("dear", usd_per_day=1.0),
        limit("strict", usd_per_day=1.0, unpriced="refuse"),
        limit("narrow", concurrent=2),
        limit("upload", requests_per_minute=1, burst=1),
        limit("counting", tokens_per_minute=1_000_000),
        limit("squeezed", tokens_per_minute=1_000_000),
        limit("ticks", requests_per_minute=1, burst=1000),
        namespace("free"),
        '[[prices]]\nmodel = "gpt-5"\ninput = 1000.0\noutput = 2000.0\n',
        '[[policies]]\nname = "no"\nwhen = \'namespace == "refused" and model == "gpt-4"\'\n'
        'action = "block"\n',
    ]
)
CAPTURE = '[capture]\nmax_body = "256KiB"\n'


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("limits")
    with Mitmdump(folder, simulator=provider, config=CAPTURE + CONFIG) as running:
        yield running


@pytest.fixture
def machine(provider: Simulator, proxy: Mitmdump) -> Machine:
    return Machine(provider, proxy)


def test_the_sdk_of_openai_raises_its_own_exception(machine):
    begun = time.monotonic()
    with machine.sdk("openai", **{"x-team": "few"}) as sdk:
        for _ in range(2):
            sdk.chat.completions.create(model="gpt-5", messages=said("hi"))
        with pytest.raises(openai.RateLimitError) as caught:
            sdk.chat.completions.create(model="gpt-5", messages=said("hi"))
    assert "the limit few" in str(caught.value)
    waited = time.monotonic() - begun
    assert 60 - waited <= int(caught.value.response.headers["retry-after"]) <= 60
    assert len(machine.received) == 2


def test_the_sdk_of_anthropic_raises_its_own_exception(machine):
    asked = {"model": "claude-opus-4-8", "max_tokens": 10, "messages": said("hi")}
    with machine.sdk("anthropic", **{"x-team": "few"}) as sdk:
        for _ in range(2):
            sdk.messages.create(**asked)
        with pytest.raises(anthropic.RateLimitError):
            sdk.messages.create(**asked)


def test_the_sdk_of_google_raises_its_own_exception(machine):
    with machine.sdk("gemini", **{"x-team": "few"}) as sdk:
        for _ in range(2):
            sdk.models.generate_content(model="gemini-2.5-flash", contents="hi")
        with pytest.raises(errors.ClientError) as caught:
            sdk.models.generate_content(model="gemini-2.5-flash", contents="hi")
    assert caught.value.code == 429


def test_a_stream_is_refused_before_it_begins(machine):
    with machine.sdk("openai", **{"x-team": "stream"}) as sdk:
        asked = {"model": "gpt-5", "messages": said("hi"), "stream": True}
        assert list(sdk.chat.completions.create(**asked))
        with pytest.raises(openai.RateLimitError):
            sdk.chat.completions.create(**asked)


def test_an_sdk_that_tries_again_gets_through_when_it_is_told_to(machine):
    with machine.sdk("openai", **{"x-team": "patient"}) as sdk:
        asking = sdk.with_options(max_retries=2).chat.completions.with_raw_response
        for _ in range(9):  # one a second passes without: as many as a busy machine makes
            answer = asking.create(model="gpt-5", messages=said("hi"))
            assert answer.parse().choices
            if answer.retries_taken:
                break
    assert answer.retries_taken


def test_what_was_refused_is_stored_as_a_call_that_failed(proxy):
    for _ in range(3):
        ask(proxy, "few")

    def refused():
        calls = [call for call in proxy.calls() if call.closed and call.status == 429]
        return [call for call in calls if b"the limit few" in call.response]

    (call, *_) = wait_for(refused)
    assert call.opened.namespace == "few"


def test_tokens_are_counted_as_the_provider_tells_them(proxy):
    whole = ask(proxy, "tokens").json()["usage"]["total_tokens"]
    counted(proxy, "tokens", whole)
    ask(proxy, "tokens", stream=True, stream_options={"include_usage": True})
    counted(proxy, "tokens", 2 * whole)


def test_usage_is_read_in_compressed_answers(proxy):
    plain = ask(proxy, "squeezed").json()["usage"]["total_tokens"]
    for coding in ("gzip", "br", "zstd"):
        ask(proxy, "squeezed", f"encoding={coding}")
    counted(proxy, "squeezed", 4 * plain)


def test_a_stream_without_usage_counts_by_what_it_wrote(proxy):
    told = ask(proxy, "free").json()["usage"]["total_tokens"]
    ask(proxy, "silent", stream=True)
    wait_for(lambda: 0.5 * told < used(proxy, "silent") < 2 * told or None)


def test_a_stream_that_hangs_up_counts_as_what_it_was_allowed(proxy):
    body = {"model": "gpt-5", "messages": said("hi"), "stream": True, "max_tokens": 7000}
    headers = {"x-team": "hasty", "x-simulate": "delay=5000"}
    with client(proxy) as http, http.stream("POST", CHAT, json=body, headers=headers) as answer:
        next(answer.iter_raw())
    _settled(proxy, "hasty")
    assert 7000 <= used(proxy, "hasty") < 7200


def test_a_call_that_hangs_up_before_its_answer_counts_as_what_it_was_allowed(proxy, machine):
    body = {"model": "gpt-5", "messages": said("hi"), "max_tokens": 5000}
    call = sent(proxy, body, **{"x-team": "hurried", "x-simulate": "first=60000"})
    wait_for(lambda: machine.received)
    call.close()
    _settled(proxy, "hurried")
    assert 5000 <= used(proxy, "hurried") < 5200


def _settled(proxy: Mitmdump, team: str) -> None:
    """Wait until the only call has ended, and what it took is told."""
    wait_for(lambda: [c for c in proxy.calls() if c.opened.namespace == team and c.closed])
    told(proxy)


def test_an_error_of_the_provider_takes_no_tokens(proxy):
    assert ask(proxy, "failing", "status=500", max_tokens=9000).status_code == 500
    told(proxy)
    counted(proxy, "failing", 0)


def test_what_another_addon_refuses_is_given_back(proxy):
    for _ in range(3):
        assert ask(proxy, "refused", model="gpt-4", max_tokens=9000).status_code == 403
    assert ask(proxy, "refused").status_code == 200, "nothing is under way"
    usage = ask(proxy, "refused").json()["usage"]["total_tokens"]
    counted(proxy, "refused", 2 * usage)


def test_counting_tokens_takes_none(proxy):
    body = {"model": "claude-opus-4-8", "messages": said("hi")}
    with client(proxy) as http:
        url = "https://api.anthropic.com/v1/messages/count_tokens"
        answer = http.post(url, json=body, headers={"x-team": "counting"})
    assert answer.status_code == 200
    told(proxy)
    assert used(proxy, "counting") == 0


def test_parallel_calls_do_not_pass_a_budget_together(proxy):
    def one(number: int) -> int:
        answer = ask(proxy, "parallel", "delay=20", max_tokens=600, user=str(number))
        assert answer.status_code in (200, 429)
        return answer.json()["usage"]["total_tokens"] if answer.status_code == 200 else 0

    with ThreadPoolExecutor(16) as threads:
        spent = list(threads.map(one, range(60)))
    assert 0 in spent
    assert 0 < sum(spent) <= 5000
    counted(proxy, "parallel", sum(spent))


def test_streams_that_all_hang_up_do_not_pass_a_budget_together(proxy, machine):
    """What the provider writes for them then, nobody sees."""
    body = {"model": "gpt-5", "messages": said("hi"), "stream": True, "max_tokens": 600}
    headers = {"x-team": "fleeing", "x-simulate": "delay=5000"}

    def flee(_: int) -> int:
        with client(proxy) as http, http.stream("POST", CHAT, json=body, headers=headers) as answer:
            next(answer.iter_raw())
            return answer.status_code

    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(flee, range(36)))
    assert statuses.count(200) == len(machine.received) == 8, "of 600 tokens and a question each"
    assert statuses.count(429) == 28


def test_a_call_that_asks_for_more_than_there_ever_is_need_not_try_again(proxy):
    answer = ask(proxy, "large", max_tokens=2000)
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers
    assert "Ask for less output" in answer.json()["error"]["message"]


def test_a_day_costs_no_more_than_its_budget(proxy):
    usage = ask(proxy, "dear", max_tokens=100).json()["usage"]
    usd = (usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000) / 1e6
    counted(proxy, "dear", usd, "usd")
    answer = ask(proxy, "dear", max_tokens=600)
    assert answer.status_code == 429
    assert "1 USD a day" in answer.json()["error"]["message"]


def test_a_model_without_a_price_is_refused_where_that_is_wanted(proxy):
    answer = ask(proxy, "strict", model="nobody-knows-me")
    assert answer.status_code == 429
    assert "nobody knows what the model nobody-knows-me costs" in answer.text
    assert ask(proxy, "dear", model="nobody-knows-me").status_code == 200


def test_no_more_calls_are_under_way_than_may_be(proxy):
    third = during([proxy, proxy], "narrow", lambda: ask(proxy, "narrow"))
    assert third.status_code == 429
    assert ask(proxy, "narrow").status_code == 200


def test_a_body_too_large_to_wait_for_is_refused_too(proxy, machine):
    large = said("x" * 2**19)
    assert ask(proxy, "upload", messages=large).status_code == 200
    answer = ask(proxy, "upload", messages=large)
    assert answer.status_code == 429
    assert len(machine.received) == 1


def test_the_command_tells_how_far_limits_are_used_up(proxy):
    ask(proxy, "counting")
    wait_for(lambda: used(proxy, "counting"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "llmproxy"), "limits", *arguments]
        return subprocess.run(command, env=proxy.environment, capture_output=True, text=True)

    table, lines = run().stdout, run("--json").stdout
    assert table.startswith("limit ")
    assert re.search(r"^counting +all its calls together +tokens, last minute +\d", table, re.M)
    told = {one["limit"]: one for one in map(json.loads, lines.splitlines())}
    assert told["counting"]["kind"] == "tokens"
    assert 0 < told["counting"]["used"] < told["counting"]["allowed"] == 1_000_000


def test_the_command_says_that_no_proxy_runs(proxy, tmp_path):
    environment = proxy.environment | {"LLMPROXY_HOME": str(tmp_path)}
    command = [str(BIN / "llmproxy"), "limits"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 3
    assert "no proxy of this home is running" in done.stderr


def test_calls_of_others_are_not_counted(proxy):
    assert [ask(proxy, "free").status_code for _ in range(5)] == [200] * 5
