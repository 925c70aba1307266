from uuid import UUID

import pytest

from llmproxy_core.model import Message, Part, Request, Response, ToolCall
from llmproxy_core.words import hashed
from llmproxy_core.worker.derivation import OTHER, Names
from llmproxy_core.worker.vocabulary import Vocabulary, search_row

SCOPE = (1, 0.0)


def said(*messages: tuple[str, str], system: str = "") -> Request:
    return Request(
        system=[Part("text", system)] if system else [],
        messages=[Message(role, [Part("text", text)]) for role, text in messages],  # type: ignore[arg-type]
    )


def test_only_what_is_new_in_a_turn_is_taken() -> None:
    known = Vocabulary()
    assert known.asked(said(("user", "first question"))) == {b"first", b"question"}
    answer = Response(texts=["some answer"], parts=[Part("text", "some answer")])
    assert known.answered(answer) == {b"answer"}
    turn = said(("user", "first question"), ("assistant", "some answer"), ("user", "second"))
    assert known.asked(turn) == {b"second"}


def test_the_same_question_is_found_in_every_conversation() -> None:
    known = Vocabulary()
    first = known.asked(said(("user", "hello there friend")))
    assert known.asked(said(("user", "hello there friend"))) == first == {b"hello", b"friend"}


def test_a_history_that_was_never_seen_is_taken_whole() -> None:
    turn = said(("user", "old"), ("assistant", "reply"), ("user", "fresh"), system="helper")
    assert Vocabulary().asked(turn) == {b"old", b"reply", b"fresh", b"helper"}


def test_the_same_system_text_is_taken_once() -> None:
    known = Vocabulary()
    known.asked(said(("user", "one"), system="rules"))
    assert known.asked(said(("user", "two"), system="rules")) == {b"two"}


def test_a_tool_call_is_known_again_however_its_json_is_spaced() -> None:
    known = Vocabulary()
    call = Part("tool_call", '{"query": "rain"}', "search", "1")
    response = Response(tool_calls=[ToolCall("1", "search", call.text)], parts=[call])
    assert known.answered(response) == {b"search", b"query", b"rain"}
    again = Request(
        messages=[
            Message("assistant", [Part("tool_call", '{"query":"rain"}', "search", "1")]),
            Message("tool", [Part("tool_result", "wet", "search", "1")]),
        ]
    )
    assert known.asked(again) == {b"wet"}


def test_memory_is_bounded() -> None:
    known = Vocabulary(remembered=2)
    for text in ("one", "two", "three"):
        known.asked(said(("user", text)))
    assert len(known._seen) == 2


def test_a_call_without_words_has_no_row() -> None:
    id = UUID(int=1)
    assert search_row(1, id, set(), set()) is None
    row = search_row(1, id, {b"one"}, {b"two"})
    assert row is not None
    assert row.words == hashed({b"one", b"two"})


@pytest.mark.parametrize(
    ("most", "found"), [(3, ["a", "b", "a", "c"]), (1, ["a", OTHER, "a", OTHER])]
)
def test_an_hour_has_a_limited_number_of_names(most: int, found: list[str]) -> None:
    names = Names(most)
    assert [names.admit(SCOPE, name) for name in ("a", "b", "a", "c")] == found
    assert names.admit((2, 0.0), "c") == "c"
