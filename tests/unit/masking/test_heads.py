"""Heads and texts for people are written without credentials and secrets."""

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.heads import Heads
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.secret_masking import SecretMasking

SCRUBBER = Scrubber(b"k" * 32)
HEADS = Heads(SCRUBBER, SecretMasking(SECRETS, Masker(SCRUBBER)))
KEY = "dapi7f3a9c1e5b8d2046af61c3e97b05d284"
PLAIN = [("user-agent", "x/1.0"), ("x-request-id", "0b9e1c52-6a5e-4c3c-9f55-1d2b3c4d5e6f")]


def test_a_secret_in_a_header_is_masked_wherever_it_stands():
    *plain, (name, value) = HEADS.headers([*PLAIN, ("x-note", f"use {KEY} now")])
    assert plain == PLAIN
    assert name == "x-note"
    assert value.startswith("use [secret:databricks-api-token:fp_")
    assert value.endswith("] now")


def test_a_password_is_told_by_the_name_of_its_header():
    assert HEADS.headers([("x-db-password", "wq7!kZp93x")])[0][1] != "wq7!kZp93x"


def test_headers_without_secrets_stay_and_are_known():
    for _ in range(2):
        assert HEADS.headers(PLAIN) == PLAIN


def test_a_secret_in_a_path_is_masked_also_where_it_is_encoded():
    for spelled in (KEY, "%64" + KEY[1:]):
        path = HEADS.path(f"/v1/chat?note=hello%20{spelled}&n=1")
        assert path.startswith("/v1/chat?note=hello%20[secret:")
        assert path.endswith("]&n=1")
    assert HEADS.path("/v1/chat?beta=true") == "/v1/chat?beta=true"


def test_of_a_shortened_text_the_beginning_of_a_secret_is_masked():
    line = HEADS.text(f"POST https://api.cohere.com/v2/chat?note=Use%20{KEY[:18]}…")
    assert KEY[4:16] not in line
    assert line.endswith("…")


def test_without_masking_only_credentials_are_replaced():
    heads = Heads(SCRUBBER, None)
    assert heads.headers([("x-note", KEY)]) == [("x-note", KEY)]
    assert heads.path(f"/v1?n={KEY}") == f"/v1?n={KEY}"
    assert heads.headers([("authorization", f"Bearer {KEY}")])[0][1].startswith("Bearer fp_")
