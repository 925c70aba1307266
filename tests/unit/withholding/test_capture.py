"""The strictest of what is said of all calls, of a provider, and of a namespace."""

import pytest

from llmproxy_core.config import CaptureConfig, Config, ProviderConfig
from llmproxy_core.withholding.capture import Mode, Modes, strictest


@pytest.mark.parametrize(
    ("everything", "provider", "namespace", "expected"),
    [
        ("full", "full", "full", "full"),
        ("full", "full", "metadata", "metadata"),
        ("metadata", "full", "full", "metadata"),
        ("full", "off", "metadata", "off"),
        ("metadata", "metadata", "off", "off"),
        ("off", "full", "full", "off"),
    ],
)
def test_the_strictest_counts(
    everything: Mode, provider: Mode, namespace: Mode, expected: Mode
) -> None:
    told = CaptureConfig(mode=everything, providers={"openai": provider})
    modes = Modes(Config(capture=told))
    assert modes.of("openai", namespace) == expected
    assert modes.of("ollama", "full") == everything


def test_a_provider_of_ones_own_says_it_itself() -> None:
    own = ProviderConfig(name="gateway", hosts=["llm.example.com"], capture="metadata")
    both = CaptureConfig(providers={"gateway": "full"})
    assert Modes(Config(providers=[own])).of("gateway", "full") == "metadata"
    assert Modes(Config(providers=[own], capture=both)).of("gateway", "full") == "metadata"


def test_without_anything_said_all_is_kept() -> None:
    assert strictest([]) == "full"
    assert Modes(Config()).of("openai", "full") == "full"
