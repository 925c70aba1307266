"""Calls of a chat: in pieces, side by side, among texts, of several choices, of old."""

import json
from typing import Any

from llmproxy_core.toolgate import Call, ToolGate
from tests.unit.toolgate.gated import EVENTS, NO, denied, events, read, released, sse, through

CHAT = "openai.chat"


def chunk(choice: int = 0, end: str | None = None, **delta: Any) -> dict[str, Any]:
    return {
        "id": "c",
        "choices": [{"index": choice, "delta": delta, "finish_reason": end}],
        "usage": None,
    }


def piece(at: int, text: str = "", name: str = "", choice: int = 0, **more: Any) -> dict[str, Any]:
    function = {"arguments": text} | ({"name": name} if name else {})
    call = {"index": at, "function": function} | ({"id": f"call_{at}"} if name else {})
    return chunk(choice, tool_calls=[call], **more)


def by_name(*names: str) -> Any:
    def judge(call: Call) -> str:
        return NO if call.name in names else ""

    return judge


def leaving(judge: Any, *told: Any) -> list[list[Any]]:
    """What leaves with each event, the last with the end of the stream."""
    gate = ToolGate(CHAT, EVENTS, judge)
    return [*(events(gate.feed(sse(one))) for one in told), events(gate.finish())]


def test_pieces_of_calls_that_come_side_by_side_are_judged_when_the_choice_is_finished():
    asked: list[tuple[str, str]] = []

    def judge(call: Call) -> str:
        asked.append((call.name, call.arguments))
        return NO if call.name == "rm" else ""

    told: list[Any] = [
        piece(0, '{"a', "rm", role="assistant"),
        piece(1, '{"b', "ls"),
        piece(0, '": 1}'),
        piece(1, '": 2}'),
        chunk(end="tool_calls"),
        "[DONE]",
    ]
    sent = leaving(judge, *told)
    assert asked == [("rm", '{"a": 1}'), ("ls", '{"b": 2}')]
    assert sent[:4] == [[], [], [], []]
    first = {**told[0], "choices": [{**told[0]["choices"][0], "delta": {"role": "assistant", "content": NO}}]}  # fmt: skip
    left = [piece(0, '{"b', "ls"), piece(0, '": 2}')]
    left[0]["choices"][0]["delta"]["tool_calls"][0]["id"] = "call_1"
    assert sent[4] == [first, *left, told[4]]
    assert sent[5] == ["[DONE]"]


def test_texts_go_on_while_a_call_is_held():
    told = [piece(0, "{", "rm"), chunk(content="Hm"), piece(0, "}"), chunk(content=" yes")]
    sent = leaving(released, *told, chunk(end="tool_calls"))
    assert sent[:4] == [[], [told[1]], [], [told[3]]]
    assert sent[4] == [told[0], told[2], chunk(end="tool_calls")]


def test_a_text_in_the_event_of_a_call_goes_on_by_itself():
    both = piece(0, "{}", "rm", content="Hm", role="assistant")
    sent = leaving(released, both, chunk(end="tool_calls"))
    assert sent[0][0]["choices"][0]["delta"] == {"content": "Hm", "role": "assistant"}
    assert "content" not in sent[1][0]["choices"][0]["delta"]
    was, now = (read(CHAT, EVENTS, sse(*one)) for one in ([both], [*sent[0], *sent[1][:1]]))
    assert (now.text, now.tool_calls) == (was.text, was.tool_calls)
    at_once = json.loads(json.dumps(both))
    at_once["choices"][0]["finish_reason"] = "tool_calls"
    assert leaving(released, at_once)[0] == [at_once]


def test_another_choice_keeps_its_calls_and_its_reason():
    told = [
        piece(0, "{}", "rm"),
        piece(0, "{}", "ls", choice=1),
        chunk(end="tool_calls"),
        chunk(1, end="tool_calls"),
    ]
    sent = [one for some in leaving(by_name("rm"), *told) for one in some]
    first, second = ([one for one in sent if one["choices"][0]["index"] == at] for at in (0, 1))
    assert [one["choices"][0]["finish_reason"] for one in first] == [None, "stop"]
    assert second == [told[1], told[3]]


def test_a_text_said_before_is_apart_from_the_one_in_place_of_a_call():
    told = [chunk(content="Let me."), piece(0, "{}", "rm"), piece(1, "{}", "rm")]
    sent = [*leaving(denied, *told, chunk(end="tool_calls"))]
    said = "".join(one["choices"][0]["delta"].get("content", "") for some in sent for one in some)
    assert said == f"Let me.\n\n{NO}\n\n{NO}"


def test_usage_stays_where_its_event_had_nothing_but_a_call():
    last = piece(0, "}")
    last["usage"] = {"total_tokens": 3}
    sent = leaving(denied, piece(0, "{", "rm"), last, chunk(end="tool_calls"))
    assert [one["usage"] for one in sent[2]] == [None, {"total_tokens": 3}, None]


def test_a_stream_that_breaks_off_is_judged_as_far_as_it_came():
    cuts: list[str] = []

    def judge(call: Call) -> str:
        cuts.append(call.cut)
        return ""

    stream = sse(piece(0, '{"a', "rm"))
    assert through(CHAT, EVENTS, [stream], judge) == stream
    assert through(CHAT, EVENTS, [stream[:-1]], judge) == stream[:-1]
    assert cuts == ["ended", "ended"]


def test_calls_of_one_index_that_have_other_ids_are_others():
    told = [piece(0, "{}", "rm"), piece(0, "{}", "ls")]
    told[1]["choices"][0]["delta"]["tool_calls"][0]["id"] = "call_9"
    sent = leaving(by_name("rm"), *told, chunk(end="tool_calls"))
    assert sent[2][0]["choices"][0]["delta"] == {"content": NO}
    assert sent[2][1:] == [told[1], chunk(end="tool_calls")]


def test_functions_of_old_are_calls_as_well():
    told = [
        chunk(function_call={"name": "rm", "arguments": ""}, role="assistant", content=None),
        chunk(function_call={"arguments": "{}"}),
        chunk(end="function_call"),
    ]
    sent = leaving(denied, *told)
    deltas = [(one["choices"][0]["delta"], one["choices"][0]["finish_reason"]) for one in sent[2]]
    assert deltas == [({"role": "assistant", "content": NO}, None), ({}, "stop")]
    message = {"role": "assistant", "function_call": {"name": "rm", "arguments": "{}"}}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "function_call"}]}
    ours = json.loads(through(CHAT, [], [json.dumps(whole).encode()], denied))
    assert ours["choices"][0]["message"] == {"role": "assistant", "content": NO}
    assert ours["choices"][0]["finish_reason"] == "stop"


def test_a_content_that_is_a_list_gets_one_more_piece():
    content = [{"type": "text", "text": "Hm"}]
    call = {"id": "1", "function": {"name": "rm", "arguments": "{}"}}
    message = {"role": "assistant", "content": content, "tool_calls": [call]}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    ours = json.loads(through(CHAT, [], [json.dumps(whole).encode()], denied))
    said = ours["choices"][0]["message"]["content"]
    assert said == [*content, {"type": "text", "text": f"\n\n{NO}"}]
