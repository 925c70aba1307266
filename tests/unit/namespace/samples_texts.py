"""Small bodies of each format whose texts mention tools, as do other places, where names stay."""

from typing import Any

from tests.unit.namespace.plain_texts import CHAT, EVENTS, JSON


class M(str):
    """A text in which each `@name` stands for a name that is to be prefixed."""


def told(value: Any, before: str) -> Any:
    """A body with its names in texts as they are on one side."""
    if isinstance(value, M):
        return M(value.replace("@", before))
    if isinstance(value, dict):
        return {key: told(inner, before) for key, inner in value.items()}
    return [told(inner, before) for inner in value] if isinstance(value, list) else value


TOLD = "pay__get_weather, read and pay__refund2"
HEARD = "get_weather, read and refund2"
SAID = {"role": "assistant", "content": TOLD}
ANSWERS: list[tuple[str, list[tuple[str, str]], list[Any]]] = [
    (CHAT, JSON, [{"id": "pay__read", "choices": [{"index": 0, "message": SAID}]}]),
    (CHAT, JSON, [{"error": {"message": TOLD, "code": "pay__read"}}]),
    ("openai.responses", JSON, [{
        "instructions": TOLD, "tools": [{"name": "pay__read", "description": TOLD}],
        "output": [{"type": "message", "content": [{"type": "output_text", "text": TOLD}]},
                   {"type": "reasoning", "summary": [{"type": "summary_text", "text": "pay__read"}]},
                   {"type": "function_call", "name": "x", "arguments": '"pay__read"'}],
    }]),
    ("openai.responses", EVENTS, [
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": TOLD},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "pay__read"},
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": TOLD},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "pay__read"},
        {"type": "error", "message": TOLD},
    ]),
    ("anthropic.messages", JSON, [{"id": "pay__read", "content": [
        {"type": "thinking", "thinking": "pay__read", "signature": "pay__read"},
        {"type": "text", "text": TOLD},
        {"type": "tool_use", "name": "x", "input": {"text": "pay__read"}}]}]),
    ("anthropic.messages", EVENTS, [
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "pay__read"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": TOLD}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": "pay__read"}},
        {"type": "error", "error": {"type": "x", "message": TOLD}},
    ]),
    ("gemini", JSON, [{"candidates": [{"content": {"parts": [
        {"text": TOLD}, {"text": "pay__read", "thought": True},
        {"text": TOLD, "thoughtSignature": "pay__read"}]}}]}]),
    ("gemini", JSON, [[{"candidates": [{"content": {"parts": [{"text": text}]}}]}
                       for text in ("{", TOLD, ' "', TOLD)]]),
    ("gemini", EVENTS, [{"response": {"candidates": [{"content": {"parts": [{"text": TOLD}]}}]}}]),
    ("ollama.chat", [("content-type", "application/x-ndjson")], [
        {"message": {"content": TOLD, "thinking": "pay__read"}}, {"message": {"content": ""}}]),
    ("ollama.chat", JSON, [{"error": TOLD}]),
    ("bedrock.converse", JSON, [{"output": {"message": {"content": [
        {"text": TOLD}, {"reasoningContent": {"reasoningText": {"text": "pay__read"}}}]}}}]),
    ("cohere.chat", JSON, [{"message": {"tool_plan": TOLD, "content": [
        {"type": "text", "text": TOLD}, {"type": "thinking", "thinking": "pay__read"}]}}]),
    ("cohere.chat", EVENTS, [
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": TOLD}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TOLD}}}}]),
    ("cohere.chat", JSON, [{"text": TOLD, "chat_history": [{"role": "USER", "message": TOLD}]}]),
]  # fmt: skip

WORDS: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": M("@get_weather")}]}
REQUESTS: list[tuple[str, Any]] = [
    (CHAT, {
        "messages": [
            {"role": "system", "content": M("@get_weather\n@refund2")}, WORDS,
            {"role": "user", "name": "get_weather", "content": [
                {"type": "image_url", "image_url": {"url": "data:get_weather"}}]},
            {"role": "tool", "tool_call_id": "get_weather", "content": M("@get_weather")},
        ],
        "tools": [{"type": "function", "function": {
            "name": M("@get_weather"), "description": M("as @refund2, no read"),
            "parameters": {"description": "get_weather"}}},
            {"type": "function", "function": {"name": M("@refund2")}}],
        "response_format": {"json_schema": {"name": "get_weather", "description": "get_weather"}},
    }),
    ("openai.responses", {
        "instructions": M("@get_weather"),
        "tools": [{"type": "function", "name": M("@get_weather"), "description": M("@get_weather")}],
        "input": [
            {"role": "user", "content": M("@get_weather")},
            {"type": "message", "role": "assistant", "id": "get_weather", "content": [
                {"type": "output_text", "text": M("@get_weather"), "annotations": [
                    {"title": "get_weather"}]}]},
            {"type": "function_call", "name": M("@get_weather"), "arguments": "get_weather"},
            {"type": "function_call_output", "call_id": "get_weather", "output": M("@get_weather")},
            {"type": "function_call_output", "output": [
                {"type": "input_text", "text": M("@get_weather")},
                {"type": "input_file", "filename": "get_weather", "file_data": "get_weather"}]},
            {"type": "reasoning", "encrypted_content": "get_weather", "content": [
                {"type": "reasoning_text", "text": "get_weather"}]},
        ],
    }),
    ("openai.responses.websocket", {"type": "response.create", "response": {
        "input": M("@get_weather"), "tools": [{"type": "function", "name": M("@get_weather")}]}}),
    ("anthropic.messages", {
        "system": [{"type": "text", "text": M("@get_weather")}],
        "tools": [{"name": M("@get_weather"), "description": M("@get_weather"),
                   "input_schema": {"description": "get_weather"}}],
        "messages": [
            {"role": "user", "content": M("@get_weather")},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "get_weather", "signature": "get_weather"},
                {"type": "text", "text": M("@get_weather")},
                {"type": "tool_use", "id": "1", "name": M("@get_weather"),
                 "input": {"text": "get_weather", "content": "get_weather"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "content": M("@get_weather")},
                {"type": "tool_result", "content": [{"type": "text", "text": M("@get_weather")}]},
                {"type": "document", "source": {"type": "text", "data": "get_weather"}},
                {"type": "compaction", "content": "get_weather"}]},
        ],
        "metadata": {"user_id": "get_weather"},
    }),
    ("anthropic.count_tokens", {"system": M("@get_weather"), "messages": [],
                                "tools": [{"name": M("@get_weather")}]}),
    ("gemini", {
        "systemInstruction": {"parts": [{"text": M("@get_weather")}]},
        "tools": [{"functionDeclarations": [
            {"name": M("@get_weather"), "description": M("@get_weather"),
             "parameters": {"description": "get_weather"}}]}],
        "contents": [{"parts": [
            {"text": M("@get_weather")}, {"text": "get_weather", "thought": True},
            {"inlineData": {"data": "get_weather"}},
            {"functionResponse": {"name": M("@get_weather"), "response": {
                "result": M("@get_weather"), "data": "get_weather"}}}]}],
    }),
    ("bedrock.converse", {
        "system": [{"text": M("@get_weather")}],
        "toolConfig": {"tools": [{"toolSpec": {
            "name": M("@get_weather"), "description": M("@get_weather")}}]},
        "messages": [{"content": [
            {"text": M("@get_weather")}, {"reasoningContent": {"text": "get_weather"}},
            {"toolResult": {"content": [{"text": M("@get_weather")}, {"json": "get_weather"}]}}]}],
    }),
    ("ollama.chat", {
        "tools": [{"type": "function", "function": {"name": M("@get_weather")}}],
        "messages": [{"role": "assistant", "content": M("@get_weather"), "thinking": "get_weather"}],
    }),
    ("cohere.chat", {
        "tools": [{"type": "function", "function": {"name": M("@get_weather")}}],
        "messages": [{"role": "assistant", "tool_plan": M("@get_weather"), "content": [
            {"type": "text", "text": M("@get_weather")},
            {"type": "thinking", "thinking": "get_weather"}]}],
    }),
    ("cohere.chat", {
        "tools": [{"name": M("@get_weather")}], "message": M("@get_weather"),
        "preamble": M("@get_weather"), "chat_history": [{"message": M("@get_weather")}],
        "documents": [{"text": "get_weather"}],
    }),
]  # fmt: skip
