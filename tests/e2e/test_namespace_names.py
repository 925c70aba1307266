"""Names that make trouble: too long, wrong, doubled, unfinished, already with the prefix."""

from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors, types

from tests.e2e.namespaced import PREFIX, TEAM, function, named, said

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
LONG = "look_up_" + "a_very_long_name_" * 4
MODEL = "gpt-5"


def test_a_name_too_long_is_shortened_the_same_way_on_each_turn(machine):
    ask = {"model": MODEL, "tools": [function("refund"), function(LONG)]}
    messages: list[Any] = list(said("call #2 with {}"))
    with machine.sdk("openai", **TEAM) as client:
        for turn in range(3):
            with client.chat.completions.stream(messages=messages, **ask) as events:
                for event in events:
                    assert PREFIX not in event.model_dump_json(warnings=False)
                call = events.get_final_completion().choices[0].message.tool_calls[0]
            assert call.function.name == LONG
            messages += [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": call.id,
                            "type": "function",
                            "function": {"name": call.function.name, "arguments": "{}"},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": call.id, "content": str(turn)},
                *said("call #2 with {}"),
            ]

    assert {tuple(named(seen.body)) for seen in machine.received} == {
        (f"{PREFIX}refund", named(machine.received[0].body)[1])
    }
    shortened = named(machine.received[0].body)[1]
    assert shortened.startswith(f"{PREFIX}look_up_a_very_long")
    assert len(shortened) == 64


def test_a_name_too_long_may_keep_its_name(machine):
    with machine.sdk("openai", "required_prefix=", **{"x-team": "skips"}) as client:
        answer = client.chat.completions.create(
            model=MODEL, messages=said("call #2 with {}"), tools=[function("a"), function(LONG)]
        )

    assert named(machine.received[0].body) == ["skp__a", LONG]
    assert answer.choices[0].message.tool_calls[0].function.name == LONG


def refused_chat(client: Any) -> None:
    client.chat.completions.create(model=MODEL, messages=said("Hi"), tools=[function(LONG)])


def refused_message(client: Any) -> None:
    tool = {"name": LONG * 2, "input_schema": {"type": "object"}}
    client.messages.create(model="m", max_tokens=9, messages=said("Hi"), tools=[tool])


def refused_gemini(client: Any) -> None:
    tools: list[Any] = [types.Tool(function_declarations=[types.FunctionDeclaration(name=LONG)])]
    config = types.GenerateContentConfig(tools=tools)
    client.models.generate_content(model="gemini-2.5-flash", contents="Hi", config=config)


@pytest.mark.parametrize(
    ("name", "program", "error"),
    [
        ("openai", refused_chat, openai.BadRequestError),
        ("anthropic", refused_message, anthropic.BadRequestError),
        ("gemini", refused_gemini, errors.ClientError),
    ],
)
def test_a_name_too_long_may_be_refused_with_an_error_that_the_sdk_knows(
    machine, name, program, error
):
    with (
        machine.sdk(name, **{"x-team": "refuses"}) as client,
        pytest.raises(error, match="look_up_a_very_long"),
    ):
        program(client)

    assert not machine.received


@BOTH
@pytest.mark.parametrize(
    ("called", "got"),
    [("refund", "refund"), ("unheard_of", "unheard_of"), (f"{PREFIX}unheard_of", "unheard_of")],
)
def test_a_model_that_calls_a_wrong_name_is_heard_without_the_prefix(machine, called, got, stream):
    ask: dict[str, Any] = {"model": MODEL, "messages": said("use a tool")}
    ask["tools"] = [function("refund")]
    with machine.sdk("openai", f"call_name={called}", **TEAM) as client:
        if stream:
            with client.chat.completions.stream(**ask) as events:
                answer = events.get_final_completion()
        else:
            answer = client.chat.completions.create(**ask)
        call = answer.choices[0].message.tool_calls[0]
        told = {"name": call.function.name, "arguments": "{}"}
        ask["messages"] += [
            {
                "role": "assistant",
                "tool_calls": [{"id": call.id, "type": "function", "function": told}],
            },
            {"role": "tool", "tool_call_id": call.id, "content": "no such tool"},
        ]
        client.chat.completions.create(**ask)

    assert call.function.name == got
    machine.assert_only_names_were_changed()


@pytest.mark.parametrize("how", ["end_inside", "cut_inside"])
def test_a_stream_that_ends_inside_a_name_ends_there_for_the_program(machine, how):
    body = {"model": MODEL, "stream": True, "messages": said("use a tool")}
    body["tools"] = [function("get_weather")]
    headers = {"x-simulate": f"{how}={PREFIX}get_weather", **TEAM}
    with (
        machine.http() as http,
        http.stream(
            "POST", "https://api.openai.com/v1/chat/completions", json=body, headers=headers
        ) as answer,
    ):
        if how == "cut_inside":
            with pytest.raises(Exception, match="without sending complete message body"):
                answer.read()
        else:
            answer.read()

    (one,) = machine.tape
    start = bytes(one.response).partition(b'"name":"')
    assert start[0].count(b"data: ") == 2
    assert start[2] in (b"", b"get", b"pay__get")


def test_tools_of_one_name_are_offered_as_they_came(machine):
    tools = [function("refund"), function("refund")]
    with machine.sdk("openai", **TEAM) as client:
        answer = client.chat.completions.create(
            model=MODEL, messages=said("use a tool"), tools=tools
        )

    assert named(machine.received[0].body) == [f"{PREFIX}refund"] * 2
    assert answer.choices[0].message.tool_calls[0].function.name == "refund"


@BOTH
def test_a_tool_that_has_the_prefix_already_is_told_from_the_one_without(machine, stream):
    """The program's own names come back, both of them."""
    names = ["refund", f"{PREFIX}refund"]
    ask = {
        "model": MODEL,
        "messages": said("call #1 with {} and call #2 with {}"),
        "tools": [function(name) for name in names],
    }
    with machine.sdk("openai", **TEAM) as client:
        if stream:
            with client.chat.completions.stream(**ask) as events:
                answer = events.get_final_completion()
        else:
            answer = client.chat.completions.create(**ask)

    assert named(machine.received[0].body) == [PREFIX + name for name in names]
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == names
