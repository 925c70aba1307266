"""Cache breakpoints are set where the provider takes them, four at most."""

import pytest

from tests.unit.transformations.done import applied, done, left

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
POINT = {"cachePoint": {"type": "default"}}


def at(place: str | int, **more: object) -> dict[str, object]:
    return {"op": "cache_breakpoint", "at": place, **more}


def text(said: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": said, **more}


BODY = {
    "tools": [{"name": "a"}, {"name": "b"}, {"name": "later", "defer_loading": True}],
    "system": "S",
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [text("yes")]},
        {"role": "user", "content": [text("and"), text("")]},
    ],
}


def test_behind_the_tools_the_system_prompt_or_a_message():
    after = done("anthropic.messages", BODY, at("tools"), at("system"), at(0), at(-1, ttl="5m"))

    assert after["tools"][1] == {"name": "b", **MARK}
    assert after["system"] == [text("S", **MARK)]
    assert after["messages"][0]["content"] == [text("hi", **MARK)]
    control = {"type": "ephemeral", "ttl": "5m"}
    assert after["messages"][2]["content"][0] == text("and", cache_control=control)


def test_what_is_marked_is_not_marked_again_and_a_text_keeps_its_bytes():
    made = applied("anthropic.messages", b'{"system": "a long system prompt"}', at("system"))

    assert made.body.startswith(b'{"system": [{"type":"text","text":"a long system prompt",')
    assert [(start, end) for start, end, _ in made.edits] == [(11, 11), (33, 33)]
    assert not applied("anthropic.messages", made.body, at("system")).edits


def test_thoughts_are_not_marked():
    thought = {"type": "thinking", "thinking": "x", "signature": "y"}
    body = {"messages": [{"role": "assistant", "content": [text("a"), thought]}]}

    assert done("anthropic.messages", body, at(0))["messages"][0]["content"][0] == text("a", **MARK)
    alone = {"messages": [{"role": "assistant", "content": [thought]}]}
    assert left("anthropic.messages", alone, at(0)) == "elsewhere"


def test_a_fifth_is_refused_and_moving_takes_the_others_away():
    blocks = [text(str(number), **MARK) for number in range(4)]
    body = {"system": "S", "messages": [{"role": "user", "content": blocks}]}

    assert left("anthropic.messages", body, at("system")) == "refused"
    after = done("anthropic.messages", body, at("system", move=True))
    assert after["system"] == [text("S", **MARK)]
    assert after["messages"][0]["content"] == [text(str(number)) for number in range(4)]


def test_an_hour_cannot_come_after_five_minutes():
    body = {"system": [text("S", **MARK)], "messages": [{"role": "user", "content": "hi"}]}

    assert left("anthropic.messages", body, at(0, ttl="1h")) == "refused"
    body["system"] = [text("S", **HOUR)]
    assert done("anthropic.messages", body, at(0, ttl="1h"))


def test_marks_within_results_of_tools_count():
    result = {"type": "tool_result", "content": [text("x", **MARK)] * 4}
    body = {"system": "S", "messages": [{"role": "user", "content": [result]}]}
    assert left("anthropic.messages", body, at("system")) == "refused"


@pytest.mark.parametrize("place", ["tools", "system", 3, -4])
def test_where_there_is_nothing_to_cache_nothing_is_marked(place):
    body = {"messages": BODY["messages"]}
    assert left("anthropic.messages", body, at(place)) == "elsewhere"


CONVERSE = {
    "toolConfig": {"tools": [{"toolSpec": {"name": "a"}}]},
    "system": [{"text": "S"}],
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
}


def test_bedrock_has_points_of_their_own():
    after = done("bedrock.converse", CONVERSE, at("tools"), at("system"), at(-1))

    assert after["toolConfig"]["tools"][-1] == POINT
    assert after["system"] == [{"text": "S"}, POINT]
    assert after["messages"][0]["content"] == [{"text": "hi"}, POINT]
    assert done("bedrock.converse", after, at("system")) == after


def test_points_of_bedrock_are_moved_and_counted():
    full = {**CONVERSE, "system": [{"text": "S"}, *[POINT] * 4]}

    assert left("bedrock.converse", full, at("tools")) == "refused"
    after = done("bedrock.converse", full, at("tools", move=True))
    assert after["system"] == [{"text": "S"}]
    assert after["toolConfig"]["tools"][-1] == POINT


def test_invoked_models_are_told_in_the_words_of_their_maker():
    claude = {"anthropic_version": "x", "system": "S", "messages": []}
    assert done("bedrock.invoke", claude, at("system"))["system"] == [text("S", **MARK)]
    nova = {"inferenceConfig": {}, "system": [{"text": "S"}]}
    assert done("bedrock.invoke", nova, at("system"))["system"][-1] == POINT
    assert left("bedrock.invoke", {"prompt": "x"}, at("system")) == "elsewhere"
