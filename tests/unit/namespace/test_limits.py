"""Lengths and characters of tool names, as each provider takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.limits import allowed, longest
from llmproxy_core.providers.catalogue import PROVIDERS
from llmproxy_core.providers.formats import FORMATS

prefixes = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,31}\Z")


@pytest.mark.parametrize(
    ("provider", "wire", "characters"),
    [
        ("openai", "openai.chat", 64),
        ("openai", "openai.responses", 128),
        ("openai", "openai.responses.websocket", 128),
        ("azure", "openai.responses", 64),
        ("anthropic", "anthropic.messages", 128),
        ("anthropic", "openai.chat", 64),
        ("vertex", "anthropic.messages", 64),
        ("openrouter", "anthropic.messages", 64),
        ("google", "gemini", 64),
        ("bedrock", "bedrock.converse", 64),
        ("", "", 64),
    ],
)
def test_each_provider_has_its_own_longest_name(provider, wire, characters) -> None:
    assert longest(provider, wire) == characters


def test_no_provider_takes_less_than_what_a_prefix_and_a_hash_need() -> None:
    for provider in PROVIDERS:
        for wire in FORMATS:
            assert 32 + 1 + 12 < longest(provider.name, wire) <= 128


@pytest.mark.parametrize(
    ("wire", "name", "fits"),
    [
        ("openai.chat", "get-weather_2", True),
        ("openai.chat", "calendar.add", False),
        ("openai.chat", "Größe", False),
        ("openai.chat", "", False),
        ("gemini", "calendar.add:now-1", True),
        ("gemini", "2nd", False),
        ("gemini.live", "calendar.add", True),
        ("cohere.chat", "get_weather", True),
        ("cohere.chat", "get-weather", False),
    ],
)
def test_each_format_has_its_own_characters(wire: str, name: str, fits: bool) -> None:
    assert bool(allowed("any", wire).fullmatch(name)) is fits


@given(prefixes, st.sampled_from(sorted(FORMATS)))
def test_a_prefix_without_a_dash_is_taken_everywhere(prefix: str, wire: str) -> None:
    assert allowed("any", wire).fullmatch(prefix)
    assert allowed("any", wire).fullmatch(prefix + "name")
