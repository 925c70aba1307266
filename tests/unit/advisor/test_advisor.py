import asyncio
import contextlib
import json
import logging
import os
import socket
import stat
import time
from functools import partial
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel

from llmproxy_core.advisor import Advisor
from llmproxy_core.advisor import advisor as module
from llmproxy_core.advisor.line import VARIABLE
from llmproxy_core.breaker import Breaker
from llmproxy_core.config import AdvisorConfig
from llmproxy_core.errors import AdvisorError
from llmproxy_core.home import Home
from tests.unit.advisor.openrouter import Answer, Asked, OpenRouter, fails, said

KEY = "sk-or-v1-" + "c0ffee" * 10
CANARY = "hunter2-canary-0123456789"


class Colour(BaseModel):
    name: Literal["red", "blue"]
    share: float


RED = json.dumps({"name": "red", "share": 0.5})


@pytest.fixture
async def server():
    server = OpenRouter()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def make(server, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    made = []

    def advisor(mask: Any = None, answers: Any = None, **settings: Any) -> Advisor:
        fields = {"enabled": True, "base_url": server.url, "timeout_seconds": 60.0, **settings}
        hide = mask or (lambda text: text.replace(CANARY, "[secret]"))
        made.append(Advisor(AdvisorConfig(**fields), Home(tmp_path), hide, answers=answers))
        return made[-1]

    yield advisor
    for one in made:
        await one.close()


async def ask(advisor: Advisor, prompt: str = "Which colour?") -> Colour | None:
    return await advisor.ask("colour", prompt, Colour, "You know colours.")


async def test_an_answer_comes_in_its_shape(make, server):
    server.answers = [said(RED, 0.002)]
    advisor = make()

    assert await ask(advisor) == Colour(name="red", share=0.5)
    assert advisor.spent_today == pytest.approx(0.002)

    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == "anthropic/claude-sonnet-4.5"
    assert asked.body["usage"] == {"include": True}
    assert asked.body["provider"] == {"data_collection": "deny"}
    shape = asked.body["response_format"]["json_schema"]
    assert shape["strict"] is True
    assert shape["schema"]["required"] == ["name", "share"]
    assert shape["schema"]["additionalProperties"] is False
    assert asked.body["max_tokens"] == 1024


async def test_it_is_off_by_default_and_then_asks_nothing(make, server):
    advisor = make(enabled=AdvisorConfig().enabled)

    assert await ask(advisor) is None
    assert server.asked == []
    assert "advisor.enabled" in advisor.said


async def test_without_a_key_it_asks_nothing(make, server, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    advisor = make()

    assert await ask(advisor) is None
    assert server.asked == []
    assert VARIABLE in advisor.said


@pytest.mark.parametrize("around", ["```json\n%s\n```", "Here it is:\n%s\nI hope it helps.", "%s "])
async def test_what_models_put_around_json_does_no_harm(make, server, around):
    server.answers = [said(around % RED)]

    assert await ask(make()) == Colour(name="red", share=0.5)


@pytest.mark.parametrize("wrong", ["no JSON", '{"name": "green", "share": 1}', "[]", '{"name": "r'])
async def test_an_answer_of_another_shape_is_sent_back_once_with_what_is_wrong(make, server, wrong):
    server.answers = [said(wrong, 0.001), said(RED, 0.002)]
    advisor = make()

    assert await ask(advisor) == Colour(name="red", share=0.5)
    assert advisor.spent_today == pytest.approx(0.003)
    roles = [message["role"] for message in server.asked[1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "does not fit the schema" in server.asked[1].texts[-1]


async def test_a_model_that_never_keeps_to_the_shape_is_asked_twice(make, server):
    server.answers = [said("no")]
    advisor = make()

    assert await ask(advisor) is None
    assert len(server.asked) == 2
    assert "does not keep to the schema" in advisor.said


async def test_the_same_question_is_paid_for_once(make, server):
    server.answers = [said(RED)]

    first = make()
    together = await asyncio.gather(*(ask(first) for _ in range(10)))
    assert together == [Colour(name="red", share=0.5)] * 10
    assert await ask(make()) == Colour(name="red", share=0.5)
    assert len(server.asked) == 1

    assert await ask(first, "Another?") is not None
    assert await ask(make(model="anthropic/claude-opus-4.5")) is not None
    assert len(server.asked) == 3


async def test_without_days_of_the_cache_each_question_is_asked(make, server):
    server.answers = [said(RED)]
    advisor = make(cache_days=0)

    assert [await ask(advisor) for _ in range(3)] == [Colour(name="red", share=0.5)] * 3
    assert len(server.asked) == 3


async def test_a_cached_answer_that_fits_no_more_is_asked_again(make, server, tmp_path):
    server.answers = [said(RED)]
    await ask(make())
    (file,) = [path for path in (tmp_path / "advisor" / "answers").rglob("*") if path.is_file()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{")

    assert await ask(make()) == Colour(name="red", share=0.5)
    assert len(server.asked) == 2


async def test_no_secret_and_no_key_is_ever_sent(make, server, monkeypatch):
    def echoes(asked: Asked) -> Answer:
        return said(f"not JSON, but {CANARY} and {KEY}")

    server.answers = [echoes]
    advisor = make()
    prompt = f"Is {CANARY} a password? Mine is {KEY}."

    await advisor.ask("colour", prompt, Colour, f"The system knows {CANARY}.")

    assert len(server.asked) == 2
    for asked in server.asked:
        assert CANARY.encode() not in asked.raw
        assert KEY.encode() not in asked.raw
        assert b"[secret]" in asked.raw
    assert CANARY not in advisor.said


async def test_what_cannot_be_masked_is_not_sent(make, server):
    def broken(text: str) -> str:
        raise RuntimeError(CANARY)

    advisor = make(broken)

    assert await ask(advisor) is None
    assert server.asked == []
    assert advisor.said == "the text could not be masked (RuntimeError)"


async def test_neither_key_nor_secret_is_in_logs_files_and_words(make, server, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    advisor = make()
    for answer in (said(RED), fails(400, f"your key {KEY} and {CANARY}"), said("x")):
        server.answers = [answer]
        await ask(advisor, f"{CANARY} {len(server.asked)}")
        for word in (KEY, CANARY):
            assert word not in advisor.said
            assert word not in repr(advisor) + str(vars(advisor)) + str(vars(advisor._line))
    for word in (KEY, CANARY):
        assert word not in caplog.text
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or word.encode() not in file.read_bytes()


async def test_the_budget_cannot_be_passed_by_questions_at_the_same_time(make, server):
    server.answers = [said(RED, 0.02)]
    advisor = make(budget_usd_per_day=0.05)

    answers = await asyncio.gather(*(ask(advisor, f"Question {n}") for n in range(20)))

    assert 1 <= sum(answer is not None for answer in answers) <= 2
    assert advisor.spent_today <= 0.05
    assert "budget of 0.05 USD a day" in advisor.said


async def test_a_restart_does_not_bring_a_new_budget(make, server):
    server.answers = [said(RED, 0.04)]
    assert await ask(make(budget_usd_per_day=0.05)) is not None

    assert await ask(make(budget_usd_per_day=0.05), "Another?") is None
    assert len(server.asked) == 1


async def test_an_answer_that_does_not_tell_its_price_counts_as_the_dearest(make, server):
    server.answers = [said(RED, None)]
    advisor = make()
    await ask(advisor)

    assert 0.02 < advisor.spent_today < 0.05


async def test_with_a_key_of_ones_own_at_the_provider_both_parts_count(make, server):
    details = {"upstream_inference_cost": 0.01}
    server.answers = [said(RED, 0.001, is_byok=True, cost_details=details)]
    advisor = make()
    await ask(advisor)

    assert advisor.spent_today == pytest.approx(0.011)


@pytest.mark.parametrize(
    "busy",
    [
        fails(429, "Rate limit exceeded", Retry_After="0.05"),
        fails(503, "No instances available"),
        fails(502, "Provider returned error"),
        fails(502, "Provider returned error", http=200),
        fails(408, "timed out"),
        Answer(502, b"<html>Bad gateway</html>"),
        Answer(cut=0),
        Answer(200, said(RED).body, cut=150),
    ],
)
async def test_what_passes_by_itself_is_tried_again(make, server, busy):
    server.answers = [busy, said(RED)]

    assert await ask(make()) == Colour(name="red", share=0.5)
    assert len(server.asked) == 2


async def test_as_long_as_retry_after_says_nothing_is_sent(make, server):
    server.answers = [fails(429, "slow down", Retry_After="0.3"), said(RED)]

    started = time.monotonic()
    assert await ask(make()) is not None
    assert time.monotonic() - started >= 0.3


async def test_a_long_retry_after_leaves_openrouter_alone(make, server):
    server.answers = [fails(429, "slow down", Retry_After="120")]
    advisor = make()

    assert [await ask(advisor, f"{n}") for n in range(5)] == [None] * 5
    assert len(server.asked) == 1
    assert "left alone for 120 s: slow down" in advisor.said


@pytest.mark.parametrize(
    "hopeless",
    [
        fails(401, "No auth credentials found"),
        fails(402, "Insufficient credits. Add more using https://openrouter.ai/credits"),
        fails(404, "No endpoints found matching your data policy"),
        Answer(302, b"", {"Location": "http://elsewhere/"}),
    ],
)
async def test_what_does_not_pass_by_itself_is_not_asked_again_for_a_while(make, server, hopeless):
    server.answers = [hopeless]
    advisor = make()

    assert [await ask(advisor, f"{n}") for n in range(5)] == [None] * 5
    assert len(server.asked) == 1
    assert "left alone for 600 s" in advisor.said
    assert advisor.spent_today == 0


@pytest.mark.parametrize("status", [400, 403, 413])
async def test_a_question_that_is_refused_stops_no_other_one(make, server, status):
    server.answers = [fails(status, "Your chosen model requires moderation"), said(RED)]
    advisor = make()

    assert await ask(advisor) is None
    assert "requires moderation" in advisor.said
    assert await ask(advisor) is not None


async def test_after_failures_in_a_row_it_is_left_alone_and_then_tried_once(
    make, server, monkeypatch
):
    now = 0.0
    monkeypatch.setattr(module, "Breaker", partial(Breaker, clock=lambda: now))
    server.answers = [fails(500, "Internal Server Error")]
    advisor = make()

    assert [await ask(advisor, f"{n}") for n in range(10)] == [None] * 10
    assert len(server.asked) == module.FAILURES
    now += module.SECONDS
    server.answers = [said(RED)]
    assert await ask(advisor) is not None
    assert await ask(advisor, "Another?") is not None


async def test_a_slow_answer_is_not_waited_for(make, server):
    server.answers = [Answer(200, said(RED).body, pause=120)]
    advisor = make(timeout_seconds=0.3)

    started = time.monotonic()
    assert await ask(advisor) is None
    assert time.monotonic() - started < 60
    assert advisor.said == "no answer within 0.3 s"
    assert advisor.spent_today > 0


async def test_nobody_there_costs_nothing(make):
    with socket.socket() as taken:  # so that nobody else listens there
        taken.bind(("127.0.0.1", 0))
        advisor = make(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1")
        assert await ask(advisor) is None
    assert "ConnectError" in advisor.said
    assert advisor.spent_today == 0


@pytest.mark.parametrize(
    "odd",
    [
        Answer(200, b"not JSON"),
        Answer(200, b"[" * 100_000),
        Answer(200, b"{}"),
        Answer(200, b'{"choices": [null]}'),
        Answer(200, b'{"choices": {"0": 1}, "usage": []}'),
        Answer(200, b'{"error": "words"}'),
        Answer(200, b'{"error": {"code": "x", "message": 3}}'),
        Answer(200, b"x" * (2**20 + 10)),
        said(None),
        said(""),
        said(RED, -1.0),
        said("[" * 100_000),
        Answer(500, b"\xff\xfe"),
        Answer(429, b"{}", {"Retry-After": "soon"}),
        Answer(429, b"{}", {"Retry-After": "nan"}),
    ],
)
async def test_odd_answers_do_no_harm(make, server, odd):
    server.answers = [odd]
    advisor = make(timeout_seconds=2)

    with contextlib.suppress(TimeoutError):
        await ask(advisor)
    assert len(server.asked) <= module.SENDINGS


async def test_texts_that_are_no_unicode_can_be_asked_about(make, server):
    server.answers = [said(RED)]

    assert await ask(make(), "half a pair: \ud800") is not None


async def test_it_goes_past_proxies_of_the_environment(make, server, monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers = [said(RED)]

    assert await ask(make()) is not None


@pytest.mark.parametrize("options", [{"trust_env": True}, {"proxy": "http://127.0.0.1:8080"}])
async def test_a_client_with_a_proxy_is_refused(tmp_path, options):
    async with httpx.AsyncClient(**{"trust_env": False, **options}) as http:
        with pytest.raises(AdvisorError, match="our own proxy"):
            Advisor(AdvisorConfig(), Home(tmp_path), str, http)


@pytest.mark.parametrize(
    "url", ["http://openrouter.ai/api/v1", "https://u:p@openrouter.ai", "ftp://x", "https://", "x"]
)
def test_a_base_url_that_would_show_the_key_is_refused(url):
    with pytest.raises(ValueError, match="https://host/path"):
        AdvisorConfig(base_url=url)


async def test_old_answers_make_room(make, server, tmp_path: Path):
    server.answers = [said(RED)]
    advisor = make(cache_days=1)
    await ask(advisor)
    (file,) = [path for path in (tmp_path / "advisor" / "answers").rglob("*") if path.is_file()]
    os.utime(file, (1, 1))
    await ask(make(cache_days=1), "Another?")

    assert not file.exists()
