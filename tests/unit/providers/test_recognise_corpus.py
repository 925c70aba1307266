"""Every recorded exchange is recognised as its format, or there is a reason why it is not."""

from urllib.parse import urlsplit

import pytest

from llmproxy_core.providers.recognise import Match, Recogniser
from tests.unit.providers.corpus import Exchange, exchanges, needs_corpus, wire_of

pytestmark = needs_corpus

FINER = "the corpus has no name of its own for it"
NAMES = {
    ("openai.responses", "openai.responses.compact"): FINER,
    ("openai.responses", "openai.responses.input_tokens"): FINER,
    ("other", "anthropic.complete"): FINER,
    ("other", "cohere.generate"): FINER,
    ("other", "openai.assistants"): FINER,
    ("other", "openai.moderations"): FINER,
    ("other", "openai.chat"): "Writer speaks it at a path of its own",
    ("other", "openai.responses"): "a gateway",
    ("other", "replicate.predictions"): FINER,
    ("other", "rerank"): "Voyage, in Cohere's format",
    ("other", "watsonx.generation"): FINER,
}
"""(the corpus's name, ours) -> why they differ."""

NO_CALLS = {
    "/organization/usage/": "a list of costs",
    "cdn.openai.com": "a file",
    "/v1/files": "files",
    "/v1/models": "lists of models",
    "/api/models/": "lists of models",
    "/v1/traces/ingest": "telemetry",
    "/v1/conversations": "an object of the store, not an answer",
    "/v1/assistants": "an object of the store, not an answer",
    "/v1/threads": "an object of the store, not an answer",
    "/v1/vector_stores": "an object of the store, not an answer",
    "/v1/fine_tuning": "training",
    "/input_items": "what was asked, again",
    "/cachedContents": "an object of the store, not an answer",
    "fileSearchStores": "an object of the store, not an answer",
    "/realtime/": "a session's key or its WebRTC offer; what is said does not pass here",
    "/v1/tokenize": "a tool",
    "/api/pull": "a download",
    "/api/show": "about a model",
    "11434/": "Ollama says that it runs",
    "ml.cloud.ibm.com/ml/v4/instances/": "an account",
    "ml.cloud.ibm.com/ml/v1-beta/foundation_model_specs": "lists of models",
    "logfire-us.pydantic.dev": "telemetry",
    "api.replicate.com/v1/predictions/": "an answer of Replicate is fetched: not read",
    "streaming-api.svc.us.c.replicate.net": "an answer of Replicate is fetched: not read",
    "api-inference.huggingface.co/models/": "any task of any model: no format",
    "endpoints.huggingface.cloud/": "any task of any model: no format",
    "snowflakecomputing.com": "a data warehouse: opened only where mitm.toml names it",
    "demo-endpoints.pydantic.workers.dev": "a demonstration on a shared host",
}
"""A part of an address -> why it is no call that we keep."""


def recognised(recogniser: Recogniser, exchange: Exchange) -> Match | None:
    url = urlsplit(exchange["url"])
    port = url.port or (443 if url.scheme == "https" else 80)
    return recogniser.match(url.hostname or "", port, exchange["method"], url.path)


def test_every_recorded_call_is_recognised_as_its_format() -> None:
    recogniser, unexplained = Recogniser(), []
    for exchange in exchanges():
        found = recognised(recogniser, exchange)
        wire, url = wire_of(exchange), exchange["url"]
        if found is None:
            known = exchange["method"] == "DELETE" or any(part in url for part in NO_CALLS)
        else:
            known = found.wire == wire or (wire, found.wire) in NAMES
        if not known:
            unexplained.append(f"{exchange['method']} {url}: {found} is not {wire}")
    assert unexplained == []


@pytest.mark.parametrize("part", NO_CALLS)
def test_no_reason_is_given_for_nothing(part: str) -> None:
    recogniser = Recogniser()
    assert any(
        part in exchange["url"] and recognised(recogniser, exchange) is None
        for exchange in exchanges()
    )
