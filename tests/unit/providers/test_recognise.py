from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from llmproxy_core.config import ProviderConfig
from llmproxy_core.globs import fits
from llmproxy_core.providers import recognise
from llmproxy_core.providers.catalogue import PROVIDERS
from llmproxy_core.providers.recognise import Match, Recogniser
from tests.unit.providers.corpus import exchanges, needs_corpus, wire_of

AZURE = (
    "https://x.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
)
VERTEX = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers"
CALLS = {
    "https://api.openai.com/v1/chat/completions": ("openai", "openai.chat"),
    "https://api.openai.com/v1/responses": ("openai", "openai.responses"),
    "https://api.openai.com/v1/embeddings": ("openai", "openai.embeddings"),
    "https://api.openai.com/v1/completions": ("openai", "openai.completions"),
    "https://eu.api.openai.com/v1/responses/compact": ("openai", "openai.responses.compact"),
    "https://chatgpt.com/backend-api/codex/responses": ("openai", "openai.responses"),
    AZURE: ("azure", "openai.chat"),
    "https://x.openai.azure.com/openai/v1/responses": ("azure", "openai.responses"),
    "https://x.services.ai.azure.com/models/chat/completions": ("azure", "openai.chat"),
    "https://x.services.ai.azure.com/anthropic/v1/messages": ("azure", "anthropic.messages"),
    "https://x.cognitiveservices.azure.com/openai/responses": ("azure", "openai.responses"),
    "https://api.anthropic.com/v1/messages?beta=true": ("anthropic", "anthropic.messages"),
    "https://api.anthropic.com/v1/messages/count_tokens": ("anthropic", "anthropic.count_tokens"),
    "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent": (
        "google",
        "gemini",
    ),
    "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse": (
        "google",
        "gemini",
    ),
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions": (
        "google",
        "openai.chat",
    ),
    "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse": (
        "google",
        "gemini",
    ),
    f"{VERTEX}/google/models/g:generateContent": ("vertex", "gemini"),
    f"{VERTEX}/anthropic/models/c:streamRawPredict": ("vertex", "anthropic.messages"),
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1%3A0/converse-stream": (
        "bedrock",
        "bedrock.converse-stream",
    ),
    "https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses": ("bedrock", "openai.responses"),
    "https://api.mistral.ai/v1/chat/completions": ("mistral", "openai.chat"),
    "https://api.mistral.ai/v1/fim/completions": ("mistral", "mistral.fim"),
    "https://api.cohere.com/v2/chat": ("cohere", "cohere.chat"),
    "https://api.groq.com/openai/v1/chat/completions": ("groq", "openai.chat"),
    "https://api.deepseek.com/chat/completions": ("deepseek", "openai.chat"),
    "https://api.deepseek.com/anthropic/v1/messages": ("deepseek", "anthropic.messages"),
    "https://api.x.ai/v1/chat/completions": ("xai", "openai.chat"),
    "https://openrouter.ai/api/v1/chat/completions": ("openrouter", "openai.chat"),
    "https://openrouter.ai/api/v1/messages": ("openrouter", "anthropic.messages"),
    "https://api.together.xyz/v1/chat/completions": ("together", "openai.chat"),
    "https://api.fireworks.ai/inference/v1/chat/completions": ("fireworks", "openai.chat"),
    "https://api.perplexity.ai/chat/completions": ("perplexity", "openai.chat"),
    "https://router.huggingface.co/together/v1/chat/completions": ("huggingface", "openai.chat"),
    "http://localhost:11434/api/chat": ("ollama", "ollama.chat"),
    "http://127.0.0.1:11434/v1/chat/completions": ("ollama", "openai.chat"),
    "http://localhost:1234/v1/chat/completions": ("lmstudio", "openai.chat"),
    "http://[::1]:8000/v1/chat/completions": ("vllm", "openai.chat"),
    "http://localhost:4000/openai/v1/chat/completions": ("openai-compatible", "openai.chat"),
    "http://127.0.0.1:9999/v1/messages": ("anthropic-compatible", "anthropic.messages"),
}
NOT_CALLS = [
    ("POST", "https://api.anthropic.com/api/event_logging/batch"),
    ("POST", "https://api.anthropic.com/v1/files"),
    ("POST", "https://api.anthropic.com/v1/oauth/token"),
    ("GET", "https://api.anthropic.com/v1/models"),
    ("GET", "https://api.openai.com/v1/models"),
    ("GET", "https://api.openai.com/v1/responses/resp_1/input_items"),
    ("GET", "https://api.anthropic.com/v1/messages/batches"),
    ("POST", "https://api.openai.com/v1/responses/resp_1/cancel"),
    ("DELETE", "https://api.openai.com/v1/responses/resp_1"),
    ("OPTIONS", "https://api.openai.com/v1/chat/completions"),
    ("POST", "https://api.openai.com/v1/traces/ingest"),
    ("GET", "https://api.openai.com/v1/organization/usage/completions"),
    ("POST", "https://chatgpt.com/backend-api/conversation"),
    ("POST", "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist"),
    ("POST", "https://example.com/v1/chat/completions"),
    ("POST", "https://evil-api.openai.com.example.com/v1/chat/completions"),
    ("POST", "http://localhost:3000/api/chat"),
    ("POST", "http://localhost:3000/completions"),
    ("POST", "https://api.openai.com"),
]


def match(recogniser: Recogniser, method: str, url: str) -> Match | None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return recogniser.match(parts.hostname or "", port, method, path)


@pytest.mark.parametrize("url", CALLS)
def test_a_call_is_known_by_host_and_path(url: str) -> None:
    recogniser = Recogniser()
    assert match(recogniser, "POST", url) == Match(*CALLS[url])
    assert match(recogniser, "POST", url) == Match(*CALLS[url])


@pytest.mark.parametrize(("method", "url"), NOT_CALLS)
def test_other_traffic_of_these_hosts_is_not_a_call(method: str, url: str) -> None:
    assert match(Recogniser(), method, url) is None


def test_only_hosts_of_the_table_are_opened() -> None:
    recogniser = Recogniser()
    for host in ("api.openai.com", "API.OpenAI.com.", "x.openai.azure.com", "api.anthropic.com"):
        assert recogniser.opens(host, 443)
        assert recogniser.opens(host, 443)
    for host in ("example.com", "openai.com", "github.com", "googleapis.com", "127.0.0.1", ""):
        assert not recogniser.opens(host, 443)
    assert recogniser.opens("localhost", 8000)


def test_what_was_written_meanwhile_is_known_by_how_it_is_fetched() -> None:
    fetched = {
        "https://api.openai.com/v1/responses/resp_1?stream=true": "openai.responses",
        "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results": "anthropic.batches",
    }
    for url, wire in fetched.items():
        found = match(Recogniser(), "GET", url)
        assert found is not None
        assert found.wire == wire


def test_a_websocket_is_known_by_its_upgrade() -> None:
    recogniser = Recogniser()
    realtime = recogniser.match("api.openai.com", 443, "GET", "/v1/realtime?model=m")
    codex = recogniser.match("chatgpt.com", 443, "GET", "/backend-api/codex/responses")
    assert realtime == Match("openai", "openai.realtime")
    assert codex == Match("openai", "openai.responses.websocket")


def test_providers_of_the_user_come_first() -> None:
    mine = ProviderConfig(
        name="gateway",
        hosts=["llm.corp.example", "*.llm.example", "api.openai.com", "10.0.0.5:9000"],
        wire="openai.chat",
        paths={"/custom/*/ask": "anthropic.messages"},
    )
    recogniser = Recogniser([mine])
    assert recogniser.opens("llm.corp.example", 443)
    assert recogniser.opens("a.b.llm.example", 443)
    assert recogniser.opens("10.0.0.5", 9000)
    assert not recogniser.opens("10.0.0.5", 443)
    ask = "https://llm.corp.example/custom/v7/ask"
    assert match(recogniser, "POST", ask) == Match("gateway", "anthropic.messages")
    embed = "https://api.openai.com/v1/embeddings"
    assert match(recogniser, "POST", embed) == Match("gateway", "openai.embeddings")
    other = "https://a.llm.example/whatever"
    assert match(recogniser, "POST", other) == Match("gateway", "openai.chat")


@dataclass
class Custom:
    name: str = "local"
    hosts: list[str] = field(default_factory=lambda: ["localhost:5555", "*.dev.example:8443"])
    wire: str | None = None
    paths: dict[str, str] = field(default_factory=dict)


def test_a_port_in_a_pattern_counts() -> None:
    recogniser = Recogniser([Custom()])
    assert recogniser.opens("127.0.0.1", 5555)
    assert recogniser.opens("a.dev.example", 8443)
    assert not recogniser.opens("a.dev.example", 443)
    assert match(recogniser, "POST", "https://a.dev.example:8443/ping") is None


def test_the_memory_of_paths_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "CACHE", 16)
    recogniser = Recogniser()
    for n in range(100):
        recogniser.match("api.openai.com", 443, "POST", f"/{n}/v1/chat/completions")
        recogniser.match("api.openai.com", 443, "POST", f"/{n}/{'x' * 4000}")
        recogniser.opens(f"{n}.example.com", 443)
    assert len(recogniser._matches) <= 16
    assert len(recogniser._opened) <= 16


def test_a_star_stands_for_any_characters() -> None:
    assert fits("/a/*/b", "/a/x/y/b")
    assert fits("*", "")
    assert fits("a*b*c", "abbc")
    assert not fits("ab*bc", "abc")
    assert not fits("/a", "/a/b")
    assert not fits("a*x*c", "abbc")


def test_names_and_hosts_in_the_table_are_there_once() -> None:
    names = [provider.name for provider in PROVIDERS]
    hosts = [host for provider in PROVIDERS for host in provider.hosts]
    assert len(names) == len(set(names))
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completion%73",
        "/v1/chat%2Fcompletions",
        "/v1//chat//completions/",
        "/v1/./chat/x/%2e%2e/completions",
        "/v1/chat/completions;a=b",
        "/v1/chat/completions#a",
        "/v1/chat/completions/%20?a=b",
        "/V1/Chat/Completions",
    ],
)
def test_a_path_that_is_spelled_oddly_is_the_same_call(path: str) -> None:
    assert Recogniser().match("api.openai.com", 443, "POST", path) == Match("openai", "openai.chat")


RECORDED_ELSEWHERE = {
    "demo-endpoints.pydantic.workers.dev",
    "myorg-myaccount.snowflakecomputing.com",
}


@needs_corpus
def test_recorded_calls_are_recognised_by_their_urls() -> None:
    recogniser = Recogniser()
    for exchange in exchanges():
        wire = wire_of(exchange)
        if wire.startswith(("openai.chat", "anthropic.messages", "gemini", "bedrock.con")):
            if urlsplit(exchange["url"]).hostname in RECORDED_ELSEWHERE:
                continue
            found = match(recogniser, exchange["method"], exchange["url"])
            assert found is not None, exchange["url"]
            assert found.wire == wire or wire == "gemini.other", exchange["url"]
