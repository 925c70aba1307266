"""OpenAI Chat Completions and the many servers that speak it.

Source: platform.openai.com/docs/api-reference/chat.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator.exchange import CREATED, Answer, Ask, content_text, size, sse

ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def refusal(status: int, message: str) -> Any:
    kind, code = ERROR_TYPES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class OpenAIChat:
    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        messages = [mapping(message) for message in body.get("messages") or []]
        last = messages[-1] if messages else {}
        wanted = mapping(body.get("response_format"))
        functions = [mapping(mapping(t).get("function")) for t in body.get("tools") or []]
        return Ask(
            model=str(body.get("model") or path.split("/deployments/")[-1].split("/")[0]),
            text=content_text(last.get("content")),
            stream=body.get("stream") is True,
            tools={str(f.get("name")): f.get("parameters") for f in functions if f},
            forced_tool=_forced(body.get("tool_choice")),
            answers_tool=last.get("role") == "tool",
            thinks="reasoning_effort" in body or "reasoning" in body,
            include_usage=mapping(body.get("stream_options")).get("include_usage") is True,
            choices=int(body.get("n") or 1),
            schema=mapping(wanted.get("json_schema")).get("schema"),
            earlier=size(body.get("tools") or []) + size(messages[:-1]) if messages[1:] else 0,
            total=size(body.get("tools") or []) + size(messages),
        )

    def whole(self, ask: Ask, answer: Answer) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(answer.text) or None}
        if answer.reasoning:
            message["reasoning_content"] = "".join(answer.reasoning)
        if answer.tool:
            function = {"name": answer.tool.name, "arguments": answer.tool.arguments}
            message["tool_calls"] = [
                {"id": f"call_{answer.tool.id}", "type": "function", "function": function}
            ]
        message |= {"refusal": None, "annotations": []}
        choices = [
            {"index": i, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
            for i in range(ask.choices)
        ]
        return _frame(ask, answer, "chat.completion") | {
            "choices": choices,
            "usage": _usage(answer),
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
        for delta in _tool_deltas(answer):
            yield chunk({"tool_calls": [delta]})
        for index in range(ask.choices):
            yield chunk({}, _finish(answer), index)
        if ask.include_usage:
            yield sse(frame | {"choices": [], "usage": _usage(answer)})
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> Any:
        return refusal(status, message)

    def error_event(self, message: str) -> bytes:
        return sse(refusal(500, message))


def _forced(choice: Any) -> str | None:
    if choice == "required":
        return ""
    return mapping(mapping(choice).get("function")).get("name")


def _finish(answer: Answer) -> str:
    return "tool_calls" if answer.tool else "stop"


def _frame(ask: Ask, answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.key}",
        "object": kind,
        "created": CREATED,
        "model": ask.model,
        "system_fingerprint": "fp_simulated",
    }


def _tool_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.tool is None:
        return
    name = {"name": answer.tool.name, "arguments": ""}
    yield {"index": 0, "id": f"call_{answer.tool.id}", "type": "function", "function": name}
    text = answer.tool.arguments
    for i in range(0, len(text), 8):
        yield {"index": 0, "function": {"arguments": text[i : i + 8]}}


def _usage(answer: Answer) -> dict[str, Any]:
    return {
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
