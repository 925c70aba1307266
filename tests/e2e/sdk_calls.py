"""A program that knows nothing of llmproxy: `python sdk_calls.py openai|anthropic|google MARK`.

Makes one call whole and one streamed with the provider's own SDK, and prints for each
{"text", "input_tokens", "output_tokens"} as JSON.
"""

import json
import sys
from typing import Any


def tell(text: str, input_tokens: Any, output_tokens: Any) -> None:
    print(
        json.dumps({"text": text, "input_tokens": input_tokens, "output_tokens": output_tokens}),
        flush=True,
    )


def openai(mark: str) -> None:
    from openai import OpenAI

    client: Any = OpenAI(api_key="sk-test-not-a-key", max_retries=0)
    ask = {"model": "gpt-5", "messages": [{"role": "user", "content": mark}]}
    whole = client.chat.completions.create(**ask)
    tell(
        whole.choices[0].message.content or "",
        whole.usage.prompt_tokens,
        whole.usage.completion_tokens,
    )
    text, usage = "", None
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(stream=True, stream_options=options, **ask):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert usage
    tell(text, usage.prompt_tokens, usage.completion_tokens)


def responses(mark: str) -> None:
    from openai import OpenAI

    client = OpenAI(api_key="sk-test-not-a-key", max_retries=0)
    whole = client.responses.create(model="gpt-5", input=mark)
    assert whole.usage
    tell(whole.output_text, whole.usage.input_tokens, whole.usage.output_tokens)
    with client.responses.stream(model="gpt-5", input=mark) as stream:
        last = stream.until_done().get_final_response()
    assert last.usage
    tell(last.output_text, last.usage.input_tokens, last.usage.output_tokens)


def anthropic(mark: str) -> None:
    from anthropic import Anthropic

    client = Anthropic(api_key="sk-ant-test-not-a-key", max_retries=0)
    ask: Any = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": mark}],
    }

    def tell_message(message: Any) -> None:
        usage = message.usage
        cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        text = "".join(block.text for block in message.content if block.type == "text")
        tell(text, usage.input_tokens + cached, usage.output_tokens)

    tell_message(client.messages.create(**ask))
    with client.messages.stream(**ask) as stream:
        tell_message(stream.get_final_message())


def google(mark: str) -> None:
    from google import genai

    client = genai.Client(api_key="AIza-test-not-a-key")
    model = "gemini-2.5-flash"
    whole = client.models.generate_content(model=model, contents=mark)
    tell_gemini(whole.text or "", whole.usage_metadata)
    text, usage = "", None
    for chunk in client.models.generate_content_stream(model=model, contents=mark):
        text += chunk.text or ""
        usage = chunk.usage_metadata or usage
    tell_gemini(text, usage)


def tell_gemini(text: str, usage: Any) -> None:
    thoughts = usage.thoughts_token_count or 0
    tell(text, usage.prompt_token_count, usage.candidates_token_count + thoughts)


if __name__ == "__main__":
    {"openai": openai, "responses": responses, "anthropic": anthropic, "google": google}[
        sys.argv[1]
    ](sys.argv[2])
