"""However a request is written down, the judge finds the prefix before all names."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.simulator.judge import offence
from tests.unit.namespace.test_judged import JUDGES, STRICT
from tests.unit.simulator.test_judge import PREFIX, WIRES

FORMATS = {
    "chat": "openai.chat",
    "responses": "openai.responses",
    "anthropic": "anthropic.messages",
    "gemini": "gemini",
    "bedrock": "bedrock.converse",
    "ollama": "ollama.chat",
}
BLANKS = ("", "", "", " ", "\n", "\t ", "\r\n  ")


class Writer:
    """Writes JSON in some hand: with blanks and escapes, its keys in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def write(self, value: Any) -> str:
        blank = self.random.choice(BLANKS)
        if isinstance(value, dict):
            keys = list(value)
            self.random.shuffle(keys)
            members = (f"{self.text(key)}{blank}:{self.write(value[key])}" for key in keys)
            return f"{blank}{{{blank}{f',{blank}'.join(members)}{blank}}}"
        if isinstance(value, list):
            return f"[{f'{blank},'.join(self.write(one) for one in value)}{blank}]"
        if isinstance(value, str):
            return f"{blank}{self.text(value)}"
        return f"{blank}{json.dumps(value)}"

    def text(self, text: str) -> str:
        return f'"{"".join(map(self.letter, text))}"'

    def letter(self, letter: str) -> str:
        """.NET, Java and PHP escape more than they must, though no letters of keys."""
        escaped = letter in "/<>&'+= " or not letter.isascii()
        if escaped and self.random.random() < 0.5:
            return "".join(f"\\u{ord(one):04{self.random.choice('xX')}}" for one in letter)
        return json.dumps(letter)[1:-1]


def bare(value: Any) -> Any:
    """The client's request."""
    return json.loads(json.dumps(value).replace(PREFIX, ""))


@pytest.mark.parametrize("wire", FORMATS)
@given(seed=st.integers(0, 2**32))
def test_every_writing_of_a_request_is_prefixed_and_comes_back(wire, seed):
    judge, format = JUDGES[FORMATS[wire]], FORMATS[wire]
    asked = bare(WIRES[wire][1])
    body = Writer(seed).write(asked).encode()
    assert json.loads(body) == asked
    naming = Naming(PREFIX, 64)

    prefixed = prefix_request(format, body, naming)

    assert prefixed.reason == ""
    sent = json.loads(prefixed.body)
    assert offence(judge.names(sent), 64, STRICT) is None
    assert sent == WIRES[wire][1]
    assert strip_request(format, prefixed.body, naming) == body
