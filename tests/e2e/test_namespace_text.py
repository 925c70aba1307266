"""`plain_text`: prompts name tools as the provider knows them, and the program as it does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types

from tests.e2e.namespaced import Machine, function
from tests.e2e.tool_programs import PROGRAMS, QUESTIONS, TABLE, schema

pytestmark = pytest.mark.system

TEAM = {"x-team": "talks"}
PREFIX = "tlk__"
QUESTION = (
    "First get_weather for the city, then `find_orders`; not get_weather_now, nor my_refund. "
    "If refund(order) fails: get_weather, get_weather. It is get_weather"
)
SENT = (
    "First tlk__get_weather for the city, then `tlk__find_orders`; not get_weather_now, nor "
    "my_refund. If refund(order) fails: tlk__get_weather, tlk__get_weather. It is tlk__get_weather"
)
"""`refund` is a word of everyday language."""


def chat(client: Any, stream: bool) -> str:
    ask: dict[str, Any] = {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": QUESTION}],
        "tools": [function(name) for name in TABLE],
    }
    if not stream:
        return str(client.chat.completions.create(**ask).choices[0].message.content)
    chunks = client.chat.completions.create(**ask, stream=True)
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)


def responses(client: Any, stream: bool) -> str:
    tools = [{"type": "function", "name": name, "parameters": schema(name)} for name in TABLE]
    ask: dict[str, Any] = {"model": "gpt-5", "input": QUESTION, "tools": tools}
    if not stream:
        return str(client.responses.create(**ask).output_text)
    with client.responses.stream(**ask) as events:
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert events.get_final_response().output_text == "".join(deltas)
    return "".join(deltas)


def messages(client: Any, stream: bool) -> str:
    tools = [{"name": name, "input_schema": schema(name)} for name in TABLE]
    ask: dict[str, Any] = {"model": "m", "max_tokens": 99, "tools": tools}
    ask["messages"] = [{"role": "user", "content": QUESTION}]
    if not stream:
        return str(client.messages.create(**ask).content[0].text)
    with client.messages.stream(**ask) as events:
        return "".join(events.text_stream)


def gemini(client: Any, stream: bool) -> str:
    declared: list[Any] = [{"name": name} for name in TABLE]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=declared)])
    ask: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": QUESTION, "config": config}
    if not stream:
        return str(client.models.generate_content(**ask).text)
    chunks = client.models.generate_content_stream(**ask)
    return "".join(chunk.text or "" for chunk in chunks)


ASK: dict[str, Callable[[Any, bool], str]] = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic": messages,
    "gemini": gemini,
}


def texts(value: Any) -> str:
    """Of what a provider has seen."""
    return json.dumps(json.loads(value), ensure_ascii=False)


@pytest.mark.parametrize("how", ["", "chunks=40", "chunks=400", "chunks=90,grain=1,encoding=gzip"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ASK)
def test_a_text_that_names_tools_goes_out_with_the_prefix_and_comes_back_without(
    machine, name, stream, how
):
    """The model repeats what it was told, in pieces that cut the names, too."""
    simulate = f"echo=true,tool=false,required_prefix={PREFIX},{how}"
    with machine.sdk(name, simulate, **TEAM) as client:
        assert ASK[name](client, stream) == QUESTION

    assert SENT in texts(machine.received[0].body)
    machine.assert_no_prefix_came_back(PREFIX)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_turns_with_tools_are_as_without_a_proxy(machine, name, stream):
    """But for one in whose arguments the model says what a prompt has told it of a tool."""
    questions = [*QUESTIONS[:5], *QUESTIONS[6:]]
    with Machine(machine.provider).sdk(name, "required_prefix=") as client:
        alone = PROGRAMS[name](client, stream, questions)
    machine.provider.seen.clear()

    with machine.sdk(name, f"required_prefix={PREFIX}", **TEAM) as client:
        prefixed = PROGRAMS[name](client, stream, questions)

    assert [turn.calls for turn in prefixed.turns] == [turn.calls for turn in alone.turns]
    machine.assert_no_prefix_came_back(PREFIX)
