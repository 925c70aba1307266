"""What `llmproxy doctor` says of limits, the advisor and webhooks."""

import pytest

from llmproxy_core.clients.guard import advisor_check, limits_check, webhooks_check
from llmproxy_core.config import AdvisorConfig, Config, LimitConfig, LimiterConfig, WebhookConfig
from llmproxy_core.home import Home
from llmproxy_core.limits import Level
from llmproxy_core.metering.levels import Levels

LIMITS = [LimitConfig(name="fair")]


def test_limits_that_have_room_are_in_order(tmp_path):
    assert limits_check(Config(), Home(tmp_path)).what == "none"
    check = limits_check(Config(limits=LIMITS), Home(tmp_path))
    assert (check.state, check.what) == ("ok", "1 limit, counted in limits.counts")


def test_a_limit_that_is_used_up_is_told(tmp_path):
    told = Levels(Home(tmp_path))
    told.changed([Level("fair", "requests", "namespace a", 20, 20)])
    told.write()
    check = limits_check(Config(limits=LIMITS), Home(tmp_path))
    assert (check.state, check.todo) == ("warn", "llmproxy limits")
    assert "used up: fair (namespace a)" in check.what


def test_a_storage_that_does_not_answer_is_told_without_its_password(tmp_path):
    pytest.importorskip("redis", reason="needs the package redis")
    limiter = LimiterConfig(storage="redis://user:hidden@127.0.0.1:1/0", when_away="closed")
    check = limits_check(Config(limits=LIMITS, limiter=limiter), Home(tmp_path))
    assert check.state == "warn"
    assert "Redis at 127.0.0.1:1: it does not answer" in check.what
    assert "no call passes" in check.what
    assert "hidden" not in check.what


def test_an_advisor_needs_a_key(monkeypatch):
    assert advisor_check(Config()).what == "off"
    on = Config(advisor=AdvisorConfig(enabled=True))
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    assert advisor_check(on).state == "warn"
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-test-not-a-key")
    check = advisor_check(on)
    assert check.state == "ok"
    assert "sk-or" not in check.what


def test_webhooks_need_their_secrets(monkeypatch):
    assert webhooks_check(Config()).what == "none"
    told = {"name": "ops", "url": "https://x.example/in"}
    plain = WebhookConfig.model_validate(told)
    assert webhooks_check(Config(webhooks=[plain])).what == "1 webhook, not signed: ops"
    on = Config(webhooks=[WebhookConfig.model_validate({**told, "secret_env": "LLMPROXY_HOOK"})])
    monkeypatch.delenv("LLMPROXY_HOOK", raising=False)
    check = webhooks_check(on)
    assert (check.state, check.what) == ("warn", "webhook ops: $LLMPROXY_HOOK is not set here")
    monkeypatch.setenv("LLMPROXY_HOOK", "x" * 24)
    assert webhooks_check(on).what == "1 webhook, signed"
