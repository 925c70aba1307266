"""Messages that a receiver can believe."""

from base64 import b64decode, b64encode

import pytest

from llmproxy_core.config import WebhookConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.webhooks import secret, signed, verify
from llmproxy_core.webhooks.signature import unset

KEY = bytes(range(24))
WRITTEN = "whsec_" + b64encode(KEY).decode()


def webhook(**more: object) -> WebhookConfig:
    return WebhookConfig.model_validate({"name": "ops", "url": "https://x.example/in"} | more)


def test_the_signature_is_that_of_the_standard():
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_was_signed_is_believed():
    headers = signed(KEY, "msg_1", b"body", 1000.0)
    assert verify(KEY, headers, b"body", 1001.0)


@pytest.mark.parametrize(
    ("key", "body", "now"),
    [(KEY, b"other", 1000.0), (bytes(24), b"body", 1000.0), (KEY, b"body", 1301.0)],
)
def test_another_body_key_or_time_is_not(key, body, now):
    headers = signed(KEY, "msg_1", b"body", 1000.0)
    assert not verify(key, headers, body, now)


def test_without_a_secret_there_is_no_signature():
    assert "webhook-signature" not in signed(secret(webhook()), "msg_1", b"")


def test_the_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("LLMPROXY_HOOK", WRITTEN)
    assert secret(webhook(secret_env="LLMPROXY_HOOK")) == KEY


def test_the_secret_comes_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("a plain text of more than 16\n")
    assert secret(webhook(secret_file=str(file))) == b"a plain text of more than 16"


@pytest.mark.parametrize("written", ["whsec_AAAA", "whsec_#", "short"])
def test_a_secret_that_is_none_is_told_without_it(monkeypatch, written):
    monkeypatch.setenv("LLMPROXY_HOOK", written)
    with pytest.raises(ConfigError, match=r"webhook ops: \$LLMPROXY_HOOK holds no secret") as told:
        secret(webhook(secret_env="LLMPROXY_HOOK"))
    assert written not in str(told.value).replace("`whsec_`", "")


def test_a_variable_that_is_not_set_is_told(monkeypatch):
    monkeypatch.delenv("LLMPROXY_HOOK", raising=False)
    told = [*unset([webhook(), webhook(secret_env="LLMPROXY_HOOK")])]
    assert told == ["webhook ops: $LLMPROXY_HOOK is not set here"]
