"""Another model of the same provider, where the request names one."""

import pytest

from tests.unit.transformations.done import applied, left

TO = {"op": "model", "to": "new-1"}


@pytest.mark.parametrize(
    ("wire", "path", "after"),
    [
        (
            "gemini",
            "/v1/models/old:generateContent?alt=sse",
            "/v1/models/new-1:generateContent?alt=sse",
        ),
        (
            "anthropic.messages",
            "/v1/projects/p/locations/l/publishers/anthropic/models/old:rawPredict",
            "/v1/projects/p/locations/l/publishers/anthropic/models/new-1:rawPredict",
        ),
        ("bedrock.converse", "/model/arn%3Aaws%2Fold/converse", "/model/new-1/converse"),
        (
            "openai.chat",
            "/openai/deployments/old/chat/completions?api-version=1",
            "/openai/deployments/new-1/chat/completions?api-version=1",
        ),
    ],
)
def test_in_the_path(wire, path, after):
    made = applied(wire, b'{"messages": []}', TO, path=path)

    assert (made.path, made.body, made.edits) == (after, b'{"messages": []}', [])
    assert made.notes[0].endswith(" -> new-1")


@pytest.mark.parametrize("wire", ["openai.chat", "openai.responses", "cohere.chat", "ollama.chat"])
def test_in_the_body(wire):
    assert applied(wire, b'{"model":"old"}', TO).edits == [(9, 14, b'"new-1"')]


def test_where_none_is_named_nothing_is_done():
    assert left("openai.chat", {}, TO) == "elsewhere"


def test_googles_bodies_put_a_word_before_the_name():
    body = b'{"setup":{"model":"models/old"}}'
    assert applied("gemini.live", body, TO).edits == [(18, 30, b'"models/new-1"')]


def test_each_request_of_a_batch_names_its_own():
    batch = {"requests": [{"params": {"model": "a"}}, {"params": {"model": "b"}}]}
    assert applied("anthropic.batches", batch, TO).body.count(b'"new-1"') == 2


def test_a_body_in_one_makers_words_goes_to_no_other_makers_model():
    path = "/model/us.anthropic.claude-3/invoke"
    body = {"anthropic_version": "x"}
    other = {"op": "model", "to": "meta.llama3"}
    same = {"op": "model", "to": "eu.anthropic.claude-4:0"}

    assert applied("bedrock.invoke", body, other, path=path).left == "refused"
    made = applied("bedrock.invoke", body, same, path=path)
    assert made.path == "/model/eu.anthropic.claude-4:0/invoke"


def test_a_signed_path_stays():
    headers = [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
    ]
    made = applied("bedrock.converse", {}, TO, path="/model/old/converse", headers=headers)
    assert (made.left, made.path) == ("signed", "/model/old/converse")
