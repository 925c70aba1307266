"""What a request says that begins a conversation."""

import json

import pytest

from llmproxy_core.enhancing.prompt import Prompt, first_prompt, prompt
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.whole import fields_of

ODD = {
    "system": 7,
    "tools": 5,
    "messages": [None, 1, "x", [], {"role": {}}, {"role": "user", "content": [None, {"type": 5}]}],
    "contents": {"role": []},
    "input": [None, [[]], {"role": {"a": 1}, "content": {"text": {}}}],
}


def test_of_a_conversation_that_is_repeated_the_beginning_is_told():
    said = ["user", "assistant", "user"]
    body = {"messages": [{"role": role, "content": f"{n}"} for n, role in enumerate(said)]}
    fields = fields_of(json.dumps(body).encode())
    assert first_prompt("openai.chat", "/v1", fields) == Prompt("0")
    assert prompt("openai.chat", "/v1", fields, b"") == Prompt("2")


@pytest.mark.parametrize("wire", [*PLACES, "unknown"])
def test_whatever_a_request_is_made_of_it_is_read(wire):
    body = json.dumps(ODD).encode()
    assert isinstance(first_prompt(wire, "/v1", fields_of(body)), Prompt)
    assert isinstance(prompt(wire, "/v1", fields_of(body), body), Prompt)
