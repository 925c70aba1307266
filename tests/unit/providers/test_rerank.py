import json

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_lines import COHERE_RERANK, RERANK


def test_a_query_and_documents_are_asked() -> None:
    request, _ = read_request("cohere.rerank", "/", [], COHERE_RERANK.asked)
    assert request.messages[0].parts == [
        Part("text", "Weather in Oslo?"),
        Part("document", "a"),
        Part("document", "b"),
    ]


def test_the_order_is_told() -> None:
    for sample in (COHERE_RERANK, RERANK):
        parts = read(sample.wire, sample.json).parts
        assert [part.text for part in parts] == ["document 1: 0.9", "document 0: 0.1"]


def test_only_the_first_results_are_told() -> None:
    results = [{"index": n, "relevance_score": 0.5} for n in range(500)]
    assert len(read("rerank", json.dumps({"results": results}).encode()).parts) == 20
