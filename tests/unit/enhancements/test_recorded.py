"""Recorded exchanges, seen as the worker would see them."""

from collections.abc import Iterator
from functools import cache
from uuid import UUID

from llmproxy_core.enhancements import Observed, built_in
from llmproxy_core.enhancements.feasible import check
from llmproxy_core.enhancements.observing import observed
from llmproxy_core.model import mapping
from llmproxy_core.namespace.signed import signed
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.parsing import parse
from llmproxy_core.success.call import Call
from llmproxy_core.success.registry import judge
from tests.unit.enhancements.made import evidence
from tests.unit.providers import corpus

ID = UUID(int=1)
LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "maxTokens",
)


def told(body: object) -> object:
    """A limit, wherever it usually stands."""
    fields = mapping(body)
    places = [
        fields,
        *(mapping(fields.get(key)) for key in ("generationConfig", "inferenceConfig")),
    ]
    return next((place[key] for place in places for key in LIMITS if key in place), None)


@cache
def recorded() -> list[tuple[object, Observed]]:
    return [*_recorded()]


def _recorded() -> Iterator[tuple[object, Observed]]:
    for number, one in enumerate(corpus.readable()):
        headers = corpus.headers(one, "request")
        raw, _ = decode_body(headers, corpus.body(one, "request"))
        body = mapping(parse(raw)[0])
        request, _ = corpus.request_of(one)
        response, _ = corpus.answer_of(one)
        wire = corpus.wire_of(one)
        call = Call(ID, 1, ID, number * 10**9, 0, wire, one["status"], request, response, body=body)
        yield (
            told(body),
            observed(
                call,
                judge(call),
                provider=one["provider"],
                model=request.model or "",
                signed=signed(headers, corpus.path_of(one)),
            ),
        )


@corpus.needs_corpus
def test_limits_are_read_where_they_stand():
    seen = recorded()

    wrong = [
        (limit, call.wire, call.parameters.get("max_tokens"))
        for limit, call in seen
        if isinstance(limit, int) and call.parameters.get("max_tokens") != limit
    ]
    # of makers on Bedrock whose parameters no operation reaches
    assert [one for one in wrong if not one[1].startswith("bedrock.invoke")] == []
    assert sum(call.has_system for _, call in seen) > 500
    assert sum(call.prefix != "" for _, call in seen) > 1000


@corpus.needs_corpus
def test_suggestions_about_a_mixture_of_everything_can_be_done():
    calls = tuple(call for _, call in recorded())

    chosen, refused = built_in(evidence(calls[-2000:]), check)

    assert all(check(one.edit, one.wires) is None for one in chosen if one.wires)
    assert len(chosen) + len(refused) < 10
