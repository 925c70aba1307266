"""OpenAI Chat Completions and the many servers that speak it.

Source: platform.openai.com/docs/api-reference/chat.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.providers.refusal import error_body
from llmproxy_core.simulator import advice, openai_chat_tools, prompts
from llmproxy_core.simulator.exchange import (
    CREATED,
    Answer,
    Ask,
    Named,
    content_text,
    size,
    sse,
)
from llmproxy_core.simulator.prompts import Prompt

INPUT_USD, OUTPUT_USD = 3e-6, 15e-6
"""A token, where an answer tells its cost."""


def refusal(status: int, message: str) -> Any:
    return error_body("openai.chat", status, message)


class OpenAIChat:
    content_type = "text/event-stream"
    longest_name = 64

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        return openai_chat_tools.names(body)

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        messages = [mapping(message) for message in body.get("messages") or []]
        last = messages[-1] if messages else {}
        wanted = mapping(body.get("response_format"))
        return Ask(
            model=str(body.get("model") or path.split("/deployments/")[-1].split("/")[0]),
            text=content_text(last.get("content")),
            stream=body.get("stream") is True,
            tools=openai_chat_tools.offered(body),
            forced_tool=openai_chat_tools.forced(body),
            answers_tool=last.get("role") in ("tool", "function"),
            thinks="reasoning_effort" in body or "reasoning" in body,
            include_usage=mapping(body.get("stream_options")).get("include_usage") is True,
            choices=int(body.get("n") or 1),
            schema=mapping(wanted.get("json_schema")).get("schema"),
            earlier=size(body.get("tools") or []) + size(messages[:-1]) if messages[1:] else 0,
            total=size(body.get("tools") or []) + size(messages),
            legacy=bool(body.get("functions")),
            wants_json=str(wanted.get("type")).startswith("json"),
            most=body.get("max_completion_tokens") or body.get("max_tokens"),
            advises=advice.is_asked(body),
            tells_cost=mapping(body.get("usage")).get("include") is True,
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        return prompts.chat(body)

    def whole(self, ask: Ask, answer: Answer) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(answer.text) or None}
        if answer.reasoning:
            message["reasoning_content"] = "".join(answer.reasoning)
        message |= openai_chat_tools.message(ask, answer)
        message |= {"refusal": None, "annotations": []}
        choices = [
            {
                "index": i,
                "message": message,
                "logprobs": None,
                "finish_reason": _finish(ask, answer),
            }
            for i in range(ask.choices)
        ]
        return _frame(ask, answer, "chat.completion") | {
            "choices": choices,
            "usage": _usage(ask, answer),
            "service_tier": "default",
        }

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        frame = _frame(ask, answer, "chat.completion.chunk")
        tail: dict[str, Any] = {"usage": None} if ask.include_usage else {}

        def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> bytes:
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
            return sse(frame | {"choices": [choice]} | tail)

        for index in range(ask.choices):
            yield chunk({"role": "assistant", "content": "", "refusal": None}, index=index)
        for piece in answer.reasoning:
            yield chunk({"reasoning_content": piece})
        for piece in answer.text:
            for index in range(ask.choices):
                yield chunk({"content": piece}, index=index)
        for delta in openai_chat_tools.deltas(ask, answer):
            for index in range(ask.choices):
                yield chunk(delta, index=index)
        for index in range(ask.choices):
            yield chunk({}, _finish(ask, answer), index)
        if ask.include_usage:
            yield sse(frame | {"choices": [], "usage": _usage(ask, answer)})
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> Any:
        return refusal(status, message)

    def error_event(self, message: str) -> bytes:
        return sse(refusal(500, message))


def _finish(ask: Ask, answer: Answer) -> str:
    if not answer.tools:
        return answer.ending
    return "function_call" if ask.legacy else "tool_calls"


def _frame(ask: Ask, answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.key}",
        "object": kind,
        "created": CREATED,
        "model": ask.model,
        "system_fingerprint": "fp_simulated",
    }


def _usage(ask: Ask, answer: Answer) -> dict[str, Any]:
    usd = answer.input_tokens * INPUT_USD + answer.output_tokens * OUTPUT_USD
    told = {"cost": round(usd, 8)} if ask.tells_cost else {}
    return told | {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
