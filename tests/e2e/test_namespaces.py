"""Real SDKs through a real mitmdump, with a provider that takes prefixed names of tools only."""

import json
from typing import Any

import anthropic
import pytest
from google.genai import types

from tests.e2e.namespaced import (
    PREFIX,
    TEAM,
    Machine,
    function,
    said,
)
from tests.e2e.tool_programs import PROGRAMS, QUESTIONS, get_weather, schema

pytestmark = pytest.mark.system

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
MODEL = "gpt-5"


@BOTH
@pytest.mark.parametrize("name", PROGRAMS)
def test_ten_turns_with_tools_are_as_without_a_proxy(machine, name, stream):
    with Machine(machine.provider).sdk(name, "required_prefix=") as client:
        alone = PROGRAMS[name](client, stream)
    machine.provider.seen.clear()

    with machine.sdk(name, **TEAM) as client:
        prefixed = PROGRAMS[name](client, stream)

    assert sum(len(turn.calls) for turn in alone.turns) == 11
    assert prefixed.turns == alone.turns
    assert not [given for given in prefixed.returned if PREFIX in given]
    machine.assert_no_prefix_came_back()
    machine.assert_only_names_were_changed()
    assert len(machine.received) == len(QUESTIONS) + 8
    assert all(f'"{PREFIX}get_weather"'.encode() in seen.body for seen in machine.received)


@BOTH
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *(("gemini", encoding) for encoding in ("gzip", "deflate", "br", "zstd")),
        *((name, "br") for name in ("anthropic", "openai_responses")),
        ("openai_chat", "gzip"),
    ],
)
def test_answers_are_coded_as_the_provider_coded_them(machine, name, encoding, stream):
    with machine.sdk(name, f"encoding={encoding}", **TEAM) as client:
        done = PROGRAMS[name](client, stream, QUESTIONS[3:6])

    assert [len(turn.calls) for turn in done.turns] == [2, 1, 2]
    assert not [given for given in done.returned if PREFIX in given]


@pytest.mark.parametrize("coded", ["", ",encoding=gzip"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_answer_that_comes_byte_by_byte_is_read_all_the_same(machine, name, coded):
    with machine.sdk(name, f"grain=1{coded}", **TEAM) as client:
        done = PROGRAMS[name](client, True, QUESTIONS[3:4])

    assert [call[0] for call in done.turns[0].calls] == ["get_weather", "get_weather"]
    assert not [given for given in done.returned if PREFIX in given]


@BOTH
def test_every_choice_has_the_programs_names(machine, stream):
    tools = [function("refund"), function("get_weather")]
    ask = {"model": MODEL, "n": 2, "messages": said(QUESTIONS[3]), "tools": tools}
    with machine.sdk("openai", **TEAM) as client:
        got = client.chat.completions.create(**ask, stream=stream)
        answers = list(got) if stream else [got]

    names: dict[int, list[str]] = {0: [], 1: []}
    for choice in (choice for answer in answers for choice in answer.choices):
        told = choice.delta if stream else choice.message
        names[choice.index] += [
            c.function.name for c in told.tool_calls or [] if c.function and c.function.name
        ]
    assert names == {0: ["get_weather"] * 2, 1: ["get_weather"] * 2}


@BOTH
def test_functions_as_they_once_were(machine, stream):
    ask = {
        "model": MODEL,
        "functions": [{"name": "get_weather", "parameters": schema("get_weather")}],
        "function_call": {"name": "get_weather"},
        "messages": [
            *said("How is it in Rome?"),
            {"role": "assistant", "function_call": {"name": "get_weather", "arguments": "{}"}},
            {"role": "function", "name": "get_weather", "content": "18"},
            *said("And in Paris?"),
        ],
    }
    with machine.sdk("openai", **TEAM) as client:
        got = client.chat.completions.create(**ask, stream=stream)
        answers = list(got) if stream else [got]

    called = [
        call.name
        for answer in answers
        for choice in answer.choices
        if (call := (choice.delta if stream else choice.message).function_call) and call.name
    ]
    assert called == ["get_weather"]
    machine.assert_only_names_were_changed()


def chat_chosen(client: Any, choice: Any) -> str:
    answer = client.chat.completions.create(
        model=MODEL,
        messages=said("Hello"),
        tools=[function("refund"), function("find")],
        tool_choice=choice,
    )
    return str(answer.choices[0].message.tool_calls[0].function.name)


def response_chosen(client: Any, choice: Any) -> str:
    tools: list[Any] = [
        {"type": "function", "name": name, "parameters": {}} for name in ("refund", "find")
    ]
    answer = client.responses.create(
        model=MODEL, input="Hello", tools=[*tools, {"type": "web_search"}], tool_choice=choice
    )
    return str(answer.output[0].name)


def message_chosen(client: Any, choice: Any) -> str:
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("refund", "find")]
    hosted: list[Any] = [
        {"type": "bash_20250124", "name": "bash"},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]
    answer = client.messages.create(
        model="claude-opus-5-5",
        max_tokens=99,
        messages=[
            *said("What is here?"),
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "bash", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
        ],
        tools=[*hosted, *tools],
        tool_choice=choice,
    )
    return str(answer.content[0].name)


def gemini_chosen(client: Any, choice: Any) -> str:
    declared: list[Any] = [{"name": "refund"}, {"name": "find"}]
    calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=choice)  # type: ignore[arg-type]
    config = types.GenerateContentConfig(
        tools=[
            types.Tool(function_declarations=declared),
            types.Tool(google_search=types.GoogleSearch()),
        ],
        tool_config=types.ToolConfig(function_calling_config=calling),
    )
    answer = client.models.generate_content(
        model="gemini-2.5-flash", contents="Hello", config=config
    )
    return str(answer.function_calls[0].name)


FIND = {"type": "function", "name": "find"}
IN_CHAT = {"type": "function", "function": {"name": "find"}}


@pytest.mark.parametrize(
    ("name", "program", "choice"),
    [
        ("openai", chat_chosen, IN_CHAT),
        (
            "openai",
            chat_chosen,
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [IN_CHAT]},
            },
        ),
        ("openai", response_chosen, FIND),
        ("openai", response_chosen, {"type": "allowed_tools", "mode": "required", "tools": [FIND]}),
        ("anthropic", message_chosen, {"type": "tool", "name": "find"}),
        ("gemini", gemini_chosen, ["find"]),
    ],
    ids=["chat", "chat-allowed", "responses", "responses-allowed", "anthropic", "gemini"],
)
def test_a_chosen_tool_is_called_and_tools_of_the_provider_keep_their_names(
    machine, name, program, choice
):
    with machine.sdk(name, **TEAM) as client:
        assert program(client, choice) == "find"

    machine.assert_only_names_were_changed()
    machine.assert_no_prefix_came_back()


def test_programs_of_no_namespace_are_left_alone(machine):
    with machine.sdk("anthropic", "required_prefix=") as client:
        done = PROGRAMS["anthropic"](client, True, QUESTIONS[:1])

    assert [call[0] for call in done.turns[0].calls] == ["get_weather"]
    assert [seen.body for seen in machine.received] == [one.request for one in machine.tape]


def test_sdks_that_run_tools_by_themselves_find_them(machine):
    with machine.sdk("gemini", **TEAM) as client:
        config = types.GenerateContentConfig(tools=[get_weather])
        answer = client.models.generate_content(
            model="gemini-2.5-flash", contents=QUESTIONS[0], config=config
        )
    ran = [
        part.function_response.name
        for content in answer.automatic_function_calling_history
        for part in content.parts
        if part.function_response
    ]
    assert ran == ["get_weather"]

    weather = anthropic.beta_tool(get_weather)
    with machine.sdk("anthropic", **TEAM) as client:
        runner = client.beta.messages.tool_runner(
            model="m", max_tokens=99, tools=[weather], messages=said(QUESTIONS[0])
        )
        last = runner.until_done()
    assert last.stop_reason == "end_turn"
    assert "says get_weather" in json.dumps(json.loads(machine.tape[-1].request))
