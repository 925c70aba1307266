"""One hash for what was said, however it is written down."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.conversations.chain import Chains
from llmproxy_core.conversations.messages import NOTHING, answer_hashes, hash_of
from llmproxy_core.model import Message, Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.corpus import (
    answer_of,
    body,
    exchanges,
    needs_corpus,
    path_of,
    request_of,
    wire_of,
)

texts = st.text(min_size=1).filter(lambda text: text.strip() == text)
CHAT = "/v1/chat/completions"


def chain_of(wire, path, value):
    data = json.dumps(value).encode()
    request, _ = read_request(wire, path, [], data)
    return Chains().of(wire, request.messages, data)


def claude(*messages):
    return chain_of("anthropic.messages", "/v1/messages", {"messages": list(messages)})


@given(texts)
def test_a_string_is_one_text_block_and_cache_marks_do_not_count(text):
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    plain = claude({"role": "user", "content": text})
    block = claude({"content": [{"text": text, "type": "text", **mark}], "role": "user"})
    assert plain.head == block.head


@given(texts, texts)
def test_what_differs_has_another_hash(one, other):
    first, second = (hash_of(Message("user", [Part("text", text)])) for text in (one, other))
    assert (first == second) == (one == other)
    assert first != hash_of(Message("assistant", [Part("text", one)]))


@given(st.dictionaries(texts, st.integers() | texts | st.lists(st.booleans())))
def test_the_spelling_of_arguments_does_not_count(arguments):
    spelled = [json.dumps(arguments), json.dumps(dict(reversed(arguments.items())), indent=2)]
    calls = [Message("assistant", [Part("tool_call", text, "f", "c1")]) for text in spelled]
    assert hash_of(calls[0]) == hash_of(calls[1])


def test_thinking_and_instructions_do_not_count():
    said = [Part("reasoning", "Hm."), Part("text", "Yes.")]
    assert hash_of(Message("assistant", said)) == hash_of(Message("assistant", said[1:]))
    assert hash_of(Message("assistant", said[:1])) == NOTHING
    assert hash_of(Message("system", said)) == NOTHING


def test_images_that_look_alike_in_words_differ():
    def asked(data):
        source = {"type": "base64", "media_type": "image/png", "data": data}
        return claude({"role": "user", "content": [{"type": "image", "source": source}]})

    assert asked("AAAA").head == asked("AAAA").head != asked("AAAB").head


def test_a_request_of_instructions_alone_is_known_by_them():
    one, two = (
        chain_of("openai.chat", CHAT, {"messages": [{"role": "system", "content": text}]})
        for text in ("Say one.", "Say two.")
    )
    assert one.head != two.head


def test_the_chain_of_a_turn_begins_with_that_of_the_turn_before():
    said = [{"role": role, "content": str(n)} for n, role in enumerate(["user", "assistant"] * 5)]
    chains = [claude(*said[: n + 1]) for n in range(len(said))]
    whole = chains[-1].prefixes
    assert [chain.prefixes for chain in chains] == [whole[: n + 1] for n in range(len(said))]


@pytest.mark.parametrize("value", [[], [1, 2], "x", {"messages": 5}, {"messages": [None, "a"]}])
def test_what_is_no_conversation_has_no_chain(value):
    assert chain_of("anthropic.messages", "/v1/messages", value) is None


def test_a_message_that_was_seen_is_known_by_its_bytes():
    chains = Chains()
    data = json.dumps({"messages": [{"role": "user", "content": "x" * 100}]}).encode()
    request, _ = read_request("anthropic.messages", "/v1/messages", [], data)
    first = chains.of("anthropic.messages", request.messages, data)
    request.messages[0].parts.clear()  # not looked at any more
    again = chains.of("anthropic.messages", request.messages, data)
    assert first is not None
    assert again is not None
    assert again.head == first.head


@needs_corpus
def test_answers_come_back_in_the_recorded_conversations():
    """Exchanges of one cassette in order: what follows goes on from the answer, where it does."""
    chains, back = Chains(), 0
    asked: dict[Any, Any] = {}
    for exchange in exchanges():
        place = (exchange["source_repo"], exchange["source_path"], wire_of(exchange))
        if exchange["status"] != 200 or not path_of(exchange):
            continue
        request, _ = request_of(exchange)
        chain = chains.of(wire_of(exchange), request.messages, body(exchange, "request"))
        if chain is None:
            continue
        head, answer = asked.get(place, (None, ()))
        if head in chain.prefixes[:-1] and answer:
            after = chain.hashes[chain.prefixes.index(head) + 1 :]
            back += after[: len(answer)] == list(answer)
        asked[place] = (chain.head, answer_hashes(wire_of(exchange), answer_of(exchange)[0]))
    assert back > 100
