from llmproxy_core.model import Delta, Part
from llmproxy_core.providers.assembler import Assembler


def test_pieces_of_one_kind_are_one_block_until_another_comes() -> None:
    into = Assembler()
    for kind, text in (("text", "a"), ("text", "b"), ("reasoning", "c"), ("text", "d")):
        into.add(kind, text)  # type: ignore[arg-type]
    response = into.response()
    assert response.texts == ["abd"]
    assert response.parts == [Part("text", "ab"), Part("reasoning", "c"), Part("text", "d")]


def test_keyed_blocks_may_grow_in_turns() -> None:
    into = Assembler()
    for key, text in ((0, "a"), (1, "x"), (0, "b"), (1, "y")):
        into.add("text", text, key=key)
    assert [part.text for part in into.response().parts] == ["ab", "xy"]


def test_deltas_are_given_once_and_only_live() -> None:
    into = Assembler(live=True)
    into.add("reasoning", "a", key=0)
    into.add("reasoning", "b", key=1)
    into.call("k", "f", "c1")
    into.add("tool_call", "{}", key="k")
    into.add("text", "", key=2)
    assert into.take() == [
        Delta("reasoning", "a"),
        Delta("reasoning", "\n\n"),
        Delta("reasoning", "b"),
        Delta("tool_call", "f "),
        Delta("tool_call", "{}"),
    ]
    assert into.take() == []
    assert into.response().reasoning == "a\n\nb"
    silent = Assembler()
    silent.add("text", "a")
    assert silent.take() == []


def test_parts_end_the_block_before_them() -> None:
    into = Assembler()
    into.add("text", "a")
    into.part(Part("other", "x"))
    into.add("text", "b")
    assert [part.text for part in into.response().parts] == ["a", "x", "b"]
    assert into.written == 3


def test_what_was_forgotten_is_not_told_again() -> None:
    into = Assembler(live=True)
    into.add("text", "a")
    into.server_tool_calls.append("s")
    into.take()
    into.forget()
    into.add("text", "ab")
    response = into.response()
    assert (response.text, response.server_tool_calls, into.take()) == ("ab", [], [])


def test_kinds_of_unknown_events_are_bounded() -> None:
    into = Assembler()
    for n in range(1000):
        into.unknown_event(f"kind {n}")
    assert len(into.response().unknown_events) == 64
