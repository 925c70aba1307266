"""Heads without a word that anybody wrote."""

import pytest

from llmproxy_core.withholding import bare_heads


def test_headers_that_are_not_listed_keep_their_name_alone() -> None:
    told = [
        ("Host", "api.openai.com"),
        ("X-Title", "Secret plan"),
        ("helicone-prompt-id", "fine_1"),
        ("x-request-id", "req 1"),
        ("X-Stainless-Lang", "python"),
        ("x-amzn-errormessage", "Kanarienvogel"),
    ]
    assert bare_heads.headers(told) == [
        ("Host", "api.openai.com"),
        ("X-Title", ""),
        ("helicone-prompt-id", ""),
        ("x-request-id", ""),
        ("X-Stainless-Lang", "python"),
        ("x-amzn-errormessage", ""),
        bare_heads.NOTE,
    ]


def test_a_body_without_its_coding_does_not_announce_one() -> None:
    told = [("Content-Encoding", "gzip"), ("content-type", "text/event-stream")]
    assert bare_heads.headers(told) == [("content-type", "text/event-stream"), bare_heads.NOTE]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/x?api-version=2&q=a%20plan&flag", "/v1/x?api-version=2&q=&flag"),
        ("/v1/models/g:stream?alt=sse", "/v1/models/g:stream?alt=sse"),
    ],
)
def test_a_path_keeps_the_names_of_its_parameters(path: str, kept: str) -> None:
    assert bare_heads.path(path) == kept


def test_a_reason_is_that_of_the_status() -> None:
    assert bare_heads.reason(400, "You said Kanarienvogel") == "Bad Request"
    assert bare_heads.reason(200, "") == ""
    assert bare_heads.reason(599, "Kanarienvogel") == ""
