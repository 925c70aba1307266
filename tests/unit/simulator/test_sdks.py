"""The real SDKs against the simulated provider: what it says is what providers say."""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from llmproxy_core.simulator import Simulator

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
MESSAGES = [{"role": "user", "content": "Why does the test fail?"}]
TOOL_MESSAGES = [{"role": "user", "content": "Call get_weather for Paris."}]


@pytest.fixture(scope="module")
def provider():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def openai_client(provider):
    with openai.OpenAI(
        base_url=f"{provider.http_url}/v1", api_key="sk-test", max_retries=0
    ) as client:
        yield client


@pytest.fixture
def anthropic_client(provider):
    with anthropic.Anthropic(
        base_url=provider.http_url, api_key="sk-ant-test", max_retries=0
    ) as client:
        yield client


@pytest.fixture
def gemini_client(provider):
    options = types.HttpOptions(base_url=provider.http_url)
    with genai.Client(api_key="AIza-test", http_options=options) as client:
        yield client


def test_openai_chat_says_the_same_streamed_and_not(openai_client):
    whole = openai_client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    stream = openai_client.chat.completions.create(
        model="gpt-5", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert whole.choices[0].message.content
    assert whole.usage.prompt_tokens > 0
    assert chunks[-1].usage == whole.usage
    assert text == whole.choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
def test_openai_chat_calls_the_tool_that_is_named(openai_client, stream):
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}]
    asked = {"model": "gpt-5", "messages": TOOL_MESSAGES, "tools": tools}
    if stream:
        with openai_client.chat.completions.stream(**asked) as events:
            choice = events.get_final_completion().choices[0]
    else:
        choice = openai_client.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.name == "get_weather"
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {
        "city": "Paris",
        "days": 3,
    }


def test_openai_chat_answers_every_choice_asked_for(openai_client):
    stream = openai_client.chat.completions.create(
        model="gpt-5", messages=MESSAGES, n=2, stream=True
    )
    assert {choice.index for chunk in stream for choice in chunk.choices} == {0, 1}


@pytest.mark.parametrize("text", ["Why?", "Call get_weather now."])
def test_openai_responses_says_the_same_streamed_and_not(openai_client, text):
    tools = [{"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": False}]
    asked = {"model": "gpt-5", "input": text, "tools": tools, "reasoning": {"effort": "low"}}
    whole = openai_client.responses.create(**asked)
    with openai_client.responses.stream(**asked) as events:
        kinds = {event.type for event in events}
        final = events.get_final_response()
    assert [i.model_dump() for i in whole.output if i.type == "reasoning"]
    assert final.output_text == whole.output_text
    assert [i.type for i in final.output] == [i.type for i in whole.output]
    assert final.usage == whole.usage
    assert final.usage.output_tokens_details.reasoning_tokens > 0
    assert "response.reasoning_summary_text.delta" in kinds


def test_anthropic_says_the_same_streamed_and_not(anthropic_client):
    asked = {"model": "claude-haiku-4-5", "max_tokens": 4000, "messages": MESSAGES}
    asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    whole = anthropic_client.messages.create(**asked)
    with anthropic_client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    assert [block.type for block in whole.content] == ["thinking", "text"]
    assert [b.model_dump(exclude_none=True) for b in final.content] == [
        b.model_dump(exclude_none=True) for b in whole.content
    ]
    assert final.usage.output_tokens == whole.usage.output_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_calls_the_tool_that_is_named(anthropic_client, stream):
    asked = {
        "model": "claude-haiku-4-5",
        "max_tokens": 1000,
        "messages": TOOL_MESSAGES,
        "tools": [{"name": "get_weather", "input_schema": WEATHER}],
    }
    if stream:
        with anthropic_client.messages.stream(**asked) as events:
            message = events.get_final_message()
    else:
        message = anthropic_client.messages.create(**asked)
    assert message.stop_reason == "tool_use"
    assert message.content[-1].input == {"city": "Paris", "days": 3}


def test_anthropic_counts_tokens_and_lists_models(anthropic_client):
    count = anthropic_client.messages.count_tokens(model="claude-haiku-4-5", messages=MESSAGES)
    assert count.input_tokens > 0
    assert anthropic_client.models.list().data[0].id.startswith("claude")


def test_a_longer_conversation_has_cached_tokens(anthropic_client):
    turns = [
        {"role": "user", "content": "word " * 400},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Go on."},
    ]
    usage = anthropic_client.messages.create(model="m", max_tokens=9, messages=turns).usage
    assert usage.cache_read_input_tokens > 0
    assert usage.input_tokens > 0


def test_gemini_says_the_same_streamed_and_not(gemini_client):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    asked = {"model": "gemini-2.5-flash", "contents": "Why?", "config": config}
    whole = gemini_client.models.generate_content(**asked)
    chunks = list(gemini_client.models.generate_content_stream(**asked))
    assert whole.text == "".join(chunk.text or "" for chunk in chunks)
    assert whole.usage_metadata == chunks[-1].usage_metadata
    assert whole.usage_metadata.thoughts_token_count > 0


def test_gemini_calls_the_tool_that_is_named(gemini_client):
    declared = types.FunctionDeclaration(name="get_weather", parameters_json_schema=WEATHER)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    answer = gemini_client.models.generate_content(
        model="gemini-2.5-flash", contents="Call get_weather.", config=config
    )
    assert answer.function_calls[0].args == {"city": "Paris", "days": 3}


def test_gemini_counts_tokens(gemini_client):
    counted = gemini_client.models.count_tokens(model="gemini-2.5-flash", contents="Why?")
    assert counted.total_tokens > 0


def test_refusals_become_the_errors_of_each_sdk(openai_client, anthropic_client, gemini_client):
    with pytest.raises(openai.RateLimitError):
        openai_client.chat.completions.create(model="gpt-sim-429", messages=MESSAGES)
    with pytest.raises(anthropic.InternalServerError):
        anthropic_client.messages.create(model="sim-529", max_tokens=9, messages=MESSAGES)
    with pytest.raises(genai.errors.ServerError):
        gemini_client.models.generate_content(model="gemini-sim-500", contents="Why?")


def test_an_error_inside_a_stream_reaches_the_program(openai_client, anthropic_client):
    with pytest.raises(openai.APIError):
        list(
            openai_client.chat.completions.create(
                model="gpt-sim-error", messages=MESSAGES, stream=True
            )
        )
    with (
        pytest.raises(anthropic.APIStatusError),
        anthropic_client.messages.stream(
            model="sim-error", max_tokens=9, messages=MESSAGES
        ) as stream,
    ):
        stream.get_final_message()


def test_embeddings_and_models_of_openai_are_there(openai_client):
    vector = openai_client.embeddings.create(model="text-embedding-3-small", input="a")
    assert vector.data[0].embedding == [0.5, -0.25, 0.125, 0.0]
    assert next(model.id for model in openai_client.models.list()) == "gpt-6.1-sol"
