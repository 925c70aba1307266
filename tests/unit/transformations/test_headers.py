"""Headers are set, or added to."""

import pytest

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import read_operations
from tests.unit.transformations.done import applied

BETA = [("Host", "h"), ("Anthropic-Beta", "one, two"), ("X", "y")]


def headers(*operations: dict[str, object]) -> list[tuple[str, str]]:
    return applied("openai.images", b"no json", *operations, headers=BETA).headers


def beta(value: str, **more: bool) -> dict[str, object]:
    return {"op": "add_header", "name": "anthropic-beta", "value": value, **more}


def test_a_new_one_comes_last():
    added = headers({"op": "add_header", "name": "x-team", "value": "shop"})
    assert added == [*BETA, ("x-team", "shop")]


def test_one_that_is_there_becomes_another_at_its_place():
    assert headers(beta("three"))[1] == ("Anthropic-Beta", "three")


def test_a_value_is_added_once():
    assert headers(beta("three", append=True))[1] == ("Anthropic-Beta", "one, two, three")
    assert headers(beta("two", append=True)) == BETA


@pytest.mark.parametrize(
    "signature",
    [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;x-team, Signature=y"),
        ("Signature-Input", 's=("@method" "x-team");keyid="k"'),
    ],
)
def test_one_that_the_client_has_signed_stays(signature):
    operation = {"op": "add_header", "name": "X-Team", "value": "new"}
    told = [signature, ("X-Team", "old")]
    made = applied("openai.images", b"", operation, headers=told)
    assert (made.left, made.headers) == ("signed", told)
    assert not applied("openai.images", b"", operation, headers=told[:1]).left


@pytest.mark.parametrize(
    "name", ["Authorization", "x-api-key", "Content-Length", "x-amz-date", "bad name", "cookie", ""]
)
def test_credentials_and_what_says_how_to_read_a_body_are_not_for_rules(name):
    with pytest.raises(ConfigError, match="header's name"):
        read_operations([{"op": "add_header", "name": name, "value": "x"}])


def test_a_value_is_one_line():
    with pytest.raises(ConfigError, match="printable"):
        read_operations([{"op": "add_header", "name": "x", "value": "a\r\nb: c"}])
