"""The contract of all grammars: on samples of every format, marked where names stand."""

from typing import Any

import pytest

from llmproxy_core.namespace.places.formats import ELSEWHERE, PLACES, WITHOUT
from llmproxy_core.providers import catalogue
from llmproxy_core.providers.formats import FORMATS
from tests.unit.namespace import samples_anthropic as anthropic
from tests.unit.namespace import samples_google as google
from tests.unit.namespace import samples_openai as openai
from tests.unit.namespace import samples_others as others
from tests.unit.namespace.oracle import leaves, of_answer, of_clients, seen
from tests.unit.namespace.sample import PREFIX, Sample, as_text, marked

SAMPLES: dict[str, Sample] = {
    "openai.chat": openai.CHAT,
    "watsonx.chat": openai.CHAT,
    "openai.responses": openai.RESPONSES,
    "openai.responses.compact": openai.RESPONSES,
    "openai.responses.input_tokens": openai.COUNTED,
    "openai.responses.websocket": openai.WEBSOCKET,
    "openai.realtime": openai.REALTIME,
    "anthropic.messages": anthropic.MESSAGES,
    "anthropic.count_tokens": anthropic.COUNTED,
    "anthropic.batches": anthropic.BATCHES,
    "gemini": google.GENERATE,
    "gemini.count_tokens": google.COUNTED,
    "gemini.live": google.LIVE,
    "bedrock.converse": others.CONVERSE,
    "bedrock.converse-stream": others.CONVERSE,
    "bedrock.invoke": others.INVOKE,
    "bedrock.invoke-with-response-stream": others.INVOKE,
    "bedrock.count_tokens": others.COUNTED,
    "cohere.chat": others.COHERE,
    "ollama.chat": others.OLLAMA,
}
REQUESTS = [(wire, body) for wire, sample in SAMPLES.items() for body in sample.requests]
ANSWERS = [(wire, body) for wire, sample in SAMPLES.items() for body in sample.answers]


def known_wires() -> set[str]:
    """Of the formats that are read, and of all paths that are recognised."""
    paths = [catalogue.COMMON, catalogue.UPGRADES, catalogue.READS, catalogue.LOCAL]
    paths += [provider.paths for provider in catalogue.PROVIDERS]
    return {*FORMATS, *(wire for listed in paths for wire in listed.values())}


def test_of_every_known_format_it_is_said_where_its_names_stand_or_that_it_has_none() -> None:
    assert known_wires() == {*PLACES, *WITHOUT, *ELSEWHERE}
    assert len(known_wires()) == len(PLACES) + len(WITHOUT) + len(ELSEWHERE)


def test_every_grammar_has_samples() -> None:
    assert SAMPLES.keys() == PLACES.keys()


@pytest.mark.parametrize(("wire", "body"), REQUESTS)
def test_in_a_request_the_names_of_the_clients_tools_are_found_and_nothing_else(
    wire: str, body: Any
) -> None:
    assert {one.path for one in of_clients(as_text(body), PLACES[wire])} == marked(body)


@pytest.mark.parametrize(("wire", "body"), ANSWERS)
def test_in_an_answer_the_names_with_a_prefix_are_found_and_nothing_else(
    wire: str, body: Any
) -> None:
    assert {one.path for one in of_answer(as_text(body), PLACES[wire], PREFIX)} == marked(body)


@pytest.mark.parametrize("wire", SAMPLES)
def test_samples_have_a_name_at_every_place_of_the_grammar(wire: str) -> None:
    sample, places = SAMPLES[wire], PLACES[wire]
    asked = {one.leaf for body in sample.requests for one in seen(as_text(body), places.request)}
    told = {one.leaf for body in sample.answers for one in seen(as_text(body), places.answer)}
    assert leaves(places.request) - asked == set()
    assert leaves(places.answer) - told == set()


@pytest.mark.parametrize("wire", PLACES)
def test_what_was_said_stands_where_the_grammar_says(wire: str) -> None:
    """`turns` names a key of the grammar, so that the walker finds it."""
    assert PLACES[wire].turns in _keys(PLACES[wire].request, set())


def _keys(node: Any, known: set[int]) -> set[str]:
    if isinstance(node, dict):
        if id(node) in known:
            return set()
        known.add(id(node))
        return {*node, *(key for inner in node.values() for key in _keys(inner, known))}
    inner = node if isinstance(node, list | tuple) else ()
    return {key for one in inner for key in _keys(one, known)}
