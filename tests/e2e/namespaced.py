"""Programs of a namespace with a prefix: a provider that takes nothing else, a proxy, SDKs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from llmproxy_core.simulator import Simulator
from llmproxy_core.simulator.handler import Seen
from tests.e2e.wiretap import Tapped, tapped_client
from tests.mitm import Mitmdump

PREFIX = "pay__"
TEAM = {"x-team": "payments"}
CONFIG = """
[capture]
max_body = "256KiB"

[[namespaces]]
name = "payments"
prefix = "pay__"
match = { header = { "x-team" = "payments" } }

[[namespaces]]
name = "skips"
prefix = "skp__"
on_too_long = "skip"
match = { header = { "x-team" = "skips" } }

[[namespaces]]
name = "refuses"
prefix = "ref__"
on_too_long = "refuse"
match = { header = { "x-team" = "refuses" } }

[[namespaces]]
name = "talks"
prefix = "tlk__"
plain_text = true
match = { header = { "x-team" = "talks" } }
"""
KEY = "sk-test-0123456789abcdefghij"
HOSTS = {"anthropic": "api.anthropic.com", "gemini": "generativelanguage.googleapis.com"}


@pytest.fixture(scope="module")
def strict_provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True, required_prefix=PREFIX, hosts=["ollama.com"]) as running:
        yield running


@pytest.fixture(scope="module")
def prefixing(
    tmp_path_factory: pytest.TempPathFactory, strict_provider: Simulator
) -> Iterator[Mitmdump]:
    """One for all tests of a module."""
    folder = tmp_path_factory.mktemp("namespaces")
    with Mitmdump(folder, simulator=strict_provider, config=CONFIG) as running:
        yield running


class Machine:
    """SDKs with a tap on the wire: through the proxy, or without it straight to the provider."""

    def __init__(self, provider: Simulator, proxy: Mitmdump | None = None) -> None:
        self.provider = provider
        self.proxy = proxy
        self.tape: list[Tapped] = []
        provider.seen.clear()

    @contextmanager
    def sdk(self, name: str, simulate: str = "", **headers: str) -> Iterator[Any]:
        """The SDK that a program of this name uses."""
        headers = {"x-simulate": simulate} | headers if simulate else headers
        url = self.url(HOSTS.get(name, "api.openai.com"))
        if name == "gemini":
            with self.http(httpx) as http:
                options = types.HttpOptions(base_url=url, headers=headers, httpx_client=http)
                with genai.Client(api_key="AIza-test-not-a-key", http_options=options) as client:
                    yield client
            return
        sdk = anthropic.Anthropic if name == "anthropic" else openai.OpenAI
        path = "" if name == "anthropic" else "/v1"
        with (
            self.http(httpx2) as http,
            sdk(
                base_url=url + path,
                api_key=KEY,
                max_retries=0,
                default_headers=headers,
                http_client=http,
            ) as client,
        ):
            yield client

    def http(self, library: ModuleType = httpx, **options: Any) -> Any:
        if self.proxy is None:
            return tapped_client(library, self.tape, **options)
        return tapped_client(library, self.tape, self.proxy.url, self.proxy.trust(), **options)

    def url(self, host: str) -> str:
        return f"https://{host}" if self.proxy else self.provider.http_url

    @property
    def received(self) -> list[Seen]:
        """What has reached the provider."""
        return list(self.provider.seen)

    def assert_only_names_were_changed(self, prefix: str = PREFIX) -> None:
        """The prefix before names is all that the provider got more than the program sent."""
        stripped = [seen.body.replace(f'"{prefix}'.encode(), b'"') for seen in self.received]
        assert stripped == [one.request for one in self.tape]
        for seen in self.received:
            assert int(dict(seen.headers)["Content-Length"]) == len(seen.body)

    def assert_no_prefix_came_back(self, prefix: str = PREFIX) -> None:
        assert not [one for one in self.tape if prefix.encode() in one.response]


@pytest.fixture
def machine(strict_provider: Simulator, prefixing: Mitmdump) -> Machine:
    return Machine(strict_provider, prefixing)


def function(name: str) -> dict[str, Any]:
    """A tool of OpenAI's chat."""
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def named(body: bytes) -> list[str]:
    """The tools that a chat offers."""
    return [tool["function"]["name"] for tool in json.loads(body)["tools"]]
