"""Who is told what, in which words."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from llmproxy_core import config
from llmproxy_core.config import Config, WebhookConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.webhooks import Notice, body, wants

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
LEAK = Notice("anomaly", "pay", AT, "This looks like a key.", "high", {"excerpt": "`x` <@all>", "request_id": "01"})  # fmt: skip


def webhook(**more: object) -> WebhookConfig:
    return WebhookConfig.model_validate({"name": "ops", "url": "https://x.example/in"} | more)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, True),
        ({"severity": "critical"}, False),
        ({"severity": "low"}, True),
        ({"events": ["approval"]}, False),
        ({"namespaces": ["pay*"]}, True),
        ({"namespaces": ["other"]}, False),
    ],
)
def test_who_is_told(more, wanted):
    assert wants(webhook(**more), LEAK) is wanted


def test_what_is_doubtful_is_not_told():
    doubtful = replace(LEAK, data={"score": 0.49})
    assert not wants(webhook(severity="low"), doubtful)


def test_json_holds_type_time_and_facts():
    told = json.loads(body(webhook(), LEAK))
    assert (told["type"], told["timestamp"]) == ("anomaly.detected", "2026-11-22T14:05:00+00:00")
    assert told["data"]["severity"] == "high"
    assert told["data"]["request_id"] == "01"


def test_slack_gets_one_text_in_which_nothing_is_a_mention():
    told = json.loads(body(webhook(format="slack"), LEAK))
    assert list(told) == ["text"]
    assert "*high* pay: This looks like a key." in told["text"]
    assert "<@all>" not in told["text"]
    assert told["text"].count("`") == 8


def test_the_address_is_shown_nowhere():
    url = "https://hooks.slack.example:8443/services/T00/B00/verysecret"
    settings = Config(webhooks=[webhook(url=url)])
    assert "verysecret" not in repr(settings)
    (shown,) = config.without_secrets(settings)["webhooks"]
    assert shown["url"] == "https://hooks.slack.example:8443/***"


@pytest.mark.parametrize(
    "url", ["ftp://x/verysecret", "https:///verysecret", "verysecret", "https://a:b@x/"]
)
def test_a_wrong_address_is_told_without_it(tmp_path, url):
    file = tmp_path / "mitm.toml"
    file.write_text(f'[[webhooks]]\nname = "ops"\nurl = "{url}"\n')
    with pytest.raises(ConfigError, match=r"webhooks\[0\].url") as told:
        config.read(file)
    assert "verysecret" not in str(told.value)


def test_a_variable_that_the_worker_cannot_see_is_refused():
    with pytest.raises(ValidationError, match="LLMPROXY_"):
        webhook(secret_env="MY_SECRET")


def test_two_webhooks_of_a_name_are_refused():
    with pytest.raises(ValidationError, match="a name of its own"):
        Config(webhooks=[webhook(), webhook()])
