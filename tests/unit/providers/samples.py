"""Hand-written exchanges of the large chat formats, and the list of those of all formats."""

from typing import Any

from tests.unit.providers.sample import Sample


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "model": "gpt-x", "choices": [choice], **more}


CHAT_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
CHAT = Sample(
    wire="openai.chat",
    last=b'"finish_reason": "',
    request={
        "model": "gpt-x",
        "stream": True,
        "temperature": 0.2,
        "stop": ["END"],
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather in Oslo? ☂"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "Tells it"}}],
    },
    whole={
        "id": "chatcmpl-1",
        "model": "gpt-x",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "reasoning_content": "Need the tool.",
                    "content": "Ich schaue nach: ü 😀",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "time", "arguments": "{}"},
                        },
                    ],
                },
            }
        ],
        "usage": CHAT_USAGE,
    },
    events=[
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"reasoning_content": "Need "}),
        _chunk({"reasoning_content": "the tool."}),
        _chunk({"content": "Ich schaue "}),
        _chunk({"content": "nach: ü 😀"}),
        _chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": ""}}
                ]
            }
        ),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]}),
        _chunk(
            {
                "tool_calls": [
                    {"index": 1, "id": "call_2", "function": {"name": "time", "arguments": "{}"}}
                ]
            }
        ),
        _chunk({}, "tool_calls"),
        {"id": "chatcmpl-1", "model": "gpt-x", "choices": [], "usage": CHAT_USAGE},
    ],
    done=True,
)

ANTHROPIC_USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 10,
    "output_tokens": 30,
}
ANTHROPIC = Sample(
    wire="anthropic.messages",
    last=b"message_stop",
    request={
        "model": "claude-x",
        "max_tokens": 64,
        "stream": True,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Weather in Oslo?"}],
        "tools": [{"name": "weather", "description": "Tells it", "input_schema": {}}],
        "metadata": {"user_id": "user_ab_account_cd_session_1b2c3d"},
    },
    whole={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-20260101",
        "content": [
            {"type": "thinking", "thinking": "Need the tool.", "signature": "c2ln"},
            {"type": "text", "text": "Ich schaue nach: ü 😀"},
            {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
            {"type": "tool_use", "id": "toolu_2", "name": "time", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": ANTHROPIC_USAGE,
    },
    events=[
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "model": "claude-x-20260101",
                "content": [],
                "stop_reason": None,
                "usage": {**ANTHROPIC_USAGE, "output_tokens": 1},
            },
        },
        {"type": "ping"},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "Need the "},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "tool."},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "c2ln"},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": "Ich schaue "},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": "nach: ü 😀"},
        },
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {
                "type": "server_tool_use",
                "id": "srv_1",
                "name": "web_search",
                "input": {},
            },
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": ""},
        },
        {"type": "content_block_stop", "index": 2},
        {
            "type": "content_block_start",
            "index": 3,
            "content_block": {
                "type": "web_search_tool_result",
                "tool_use_id": "srv_1",
                "content": [],
            },
        },
        {"type": "content_block_stop", "index": 3},
        {
            "type": "content_block_start",
            "index": 4,
            "content_block": {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 4,
            "delta": {"type": "input_json_delta", "partial_json": '{"city":'},
        },
        {
            "type": "content_block_delta",
            "index": 4,
            "delta": {"type": "input_json_delta", "partial_json": '"Oslo"}'},
        },
        {"type": "content_block_stop", "index": 4},
        {
            "type": "content_block_start",
            "index": 5,
            "content_block": {"type": "tool_use", "id": "toolu_2", "name": "time", "input": {}},
        },
        {"type": "content_block_stop", "index": 5},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 30, "input_tokens": None},
        },
        {"type": "message_stop"},
    ],
)

RESPONSES_WHOLE = {
    "id": "resp_1",
    "model": "gpt-x",
    "status": "completed",
    "error": None,
    "output": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Need the tool."}],
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Ich schaue nach: ü 😀", "annotations": []}
            ],
        },
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"query": "Oslo"},
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city":"Oslo"}',
        },
    ],
    "usage": {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 29,
    },
}
RESPONSES = Sample(
    wire="openai.responses",
    last=b"response.completed",
    request={
        "model": "gpt-x",
        "stream": True,
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather in Oslo?"}]}
        ],
        "tools": [{"type": "function", "name": "weather"}, {"type": "web_search"}],
        "prompt_cache_key": "thread-7",
    },
    whole=RESPONSES_WHOLE,
    events=[
        {
            "type": "response.created",
            "response": {"id": "resp_1", "model": "gpt-x", "status": "in_progress"},
        },
        {"type": "response.in_progress", "response": {"id": "resp_1"}},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "reasoning", "id": "rs_1"},
        },
        {"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0},
        {
            "type": "response.reasoning_summary_text.delta",
            "output_index": 0,
            "summary_index": 0,
            "delta": "Need the ",
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "output_index": 0,
            "summary_index": 0,
            "delta": "tool.",
        },
        {"type": "response.output_item.done", "output_index": 0},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {"type": "message", "content": []},
        },
        {"type": "response.content_part.added", "output_index": 1, "content_index": 0},
        {
            "type": "response.output_text.delta",
            "output_index": 1,
            "content_index": 0,
            "delta": "Ich schaue ",
        },
        {
            "type": "response.output_text.delta",
            "output_index": 1,
            "content_index": 0,
            "delta": "nach: ü 😀",
        },
        {"type": "response.output_text.done", "output_index": 1, "content_index": 0},
        {
            "type": "response.output_item.added",
            "output_index": 2,
            "item": {"type": "web_search_call", "id": "ws_1", "action": {"query": "Oslo"}},
        },
        {"type": "response.web_search_call.searching", "output_index": 2},
        {
            "type": "response.output_item.added",
            "output_index": 3,
            "item": {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": "",
            },
        },
        {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": '{"city":'},
        {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": '"Oslo"}'},
        {"type": "response.completed", "response": RESPONSES_WHOLE},
    ],
)

GEMINI_USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 8,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 4,
    "toolUsePromptTokenCount": 3,
    "totalTokenCount": 32,
}


def _gemini(parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if "finish" in more:
        candidate["finishReason"] = more.pop("finish")
    return {"responseId": "r1", "modelVersion": "gemini-x", "candidates": [candidate], **more}


GEMINI_CALL = {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Oslo"}}}
GEMINI = Sample(
    wire="gemini",
    last=b'"finishReason"',
    request={
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Weather in Oslo?"}]}],
        "tools": [{"functionDeclarations": [{"name": "weather"}]}, {"googleSearch": {}}],
        "generationConfig": {"temperature": 0.2},
    },
    whole=_gemini(
        [
            {"text": "Need the tool.", "thought": True},
            {"text": "Ich schaue nach: ü 😀"},
            GEMINI_CALL,
        ],
        finish="STOP",
        usageMetadata=GEMINI_USAGE,
    ),
    events=[
        _gemini([{"text": "Need the ", "thought": True}], usageMetadata={"promptTokenCount": 20}),
        _gemini([{"text": "tool.", "thought": True}]),
        _gemini([{"text": "Ich schaue "}]),
        _gemini([{"text": "nach: ü 😀"}]),
        _gemini([GEMINI_CALL]),
        _gemini([{"text": ""}], finish="STOP", usageMetadata=GEMINI_USAGE),
    ],
)

SAMPLES = [CHAT, ANTHROPIC, RESPONSES, GEMINI]
