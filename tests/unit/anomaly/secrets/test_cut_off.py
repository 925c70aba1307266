"""Secrets in which a text breaks off."""

import pytest

from llmproxy_core.anomaly.secrets.cut_off import cut_off


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("use ghp_a8Zt4", "ghp_"),
        ('key: "AKIAQ4HR', "AKIA"),
        ("see sk-ant-api03-Zt4w", "sk-ant"),
        ("postgres://svc:q8Zt4", "q8Zt4"),
        ("password = q8Zt4wL", "q8Zt4"),
        ("Authorization: Bearer q8Zt4wLm1x", "q8Zt4"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow", "\nMIIE"),
        ("jwt eyJhbGciOiJIUzI1", "eyJ"),
    ],
)
def test_it_is_known_where_the_secret_begins(text: str, begins: str):
    assert cut_off(text.encode()) == text.index(begins)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "that is all.",
        "https://acme.test:8080",
        "the key: explained",
        "password: required",
        "in Asia-Pacific",
    ],
)
def test_ordinary_ends_are_no_secrets(text: str):
    assert cut_off(text.encode()) is None
