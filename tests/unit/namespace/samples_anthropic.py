"""`anthropic.messages`, counted and in batches."""

from tests.unit.namespace.sample import ARGUMENTS, MADE, SCHEMA, Sample, T, sent

REFERENCE = {"type": "tool_reference", "name": T("weather")}
SOURCES = {
    "client_tool_results": {"type": "only", "tools": [REFERENCE]},
    "server_tool_results": {
        "type": "except",
        "tools": [REFERENCE, {"type": "tool_reference", "name": "web_search"}],
    },
}
REQUEST = {
    "model": "weather",
    "system": [{"type": "text", "text": "weather", "name": "weather"}],
    "tools": [
        {"name": T("weather"), "input_schema": SCHEMA, "input_examples": [ARGUMENTS]},
        {"type": "custom", "name": T("patch"), "input_schema": SCHEMA},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {"type": "computer_20250124", "name": "computer"},
        {"type": "web_search_20260318", "name": "web_search"},
        {"type": "web_fetch_20260318", "name": "web_fetch", "url_sources": SOURCES},
        {"type": "memory_20250818", "name": "memory"},
        {"type": "code_execution_20260521", "name": "code_execution"},
        {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
        {"type": "browser_toolset_20260801", "configs": {"find": {"name": "weather"}}},
        {"type": "mcp_toolset", "mcp_server_name": "weather", "tools": [{"name": "weather"}]},
    ],
    "tool_choice": {"type": "tool", "name": T("weather")},
    "mcp_servers": [
        {"name": "weather", "tool_configuration": {"allowed_tools": ["weather"]}},
    ],
    "context_management": {
        "edits": [
            {
                "type": "clear_tool_uses_20250919",
                "exclude_tools": [T("weather"), "web_search", "memory"],
                "clear_tool_inputs": [T("patch"), "bash"],
            },
            {"type": "clear_thinking_20251015", "keep": "all"},
        ]
    },
    "metadata": {"user_id": "weather"},
    "messages": [
        {"role": "user", "content": "weather"},
        {
            "role": "system",
            "content": [
                {"type": "tool_removal", "tool": REFERENCE},
                {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "web_search"}},
                {
                    "type": "tool_addition",
                    "tool": {
                        "type": "mcp_tool_reference",
                        "name": "weather",
                        "server_name": "weather",
                    },
                },
                {
                    "type": "tool_addition",
                    "tool": {
                        "type": "tool_definition",
                        "definition": {"name": T("later"), "input_schema": SCHEMA},
                    },
                },
                {
                    "type": "tool_addition",
                    "tool": {
                        "type": "tool_definition",
                        "definition": {"type": "advisor_20260301", "name": "advisor"},
                    },
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "weather", "signature": "weather"},
                {"type": "text", "text": "weather"},
                {"type": "tool_use", "id": "weather", "name": T("weather"), "input": ARGUMENTS},
                {"id": "2", "input": ARGUMENTS, "name": T("gone"), "type": "tool_use"},
                {"type": "tool_use", "name": "bash", "input": ARGUMENTS},
                {"type": "tool_use", "name": "advisor", "input": {}},
                {"type": "tool_use", "name": "weather", "toolset_name": "browser", "input": {}},
                {"type": "server_tool_use", "name": "web_search", "input": ARGUMENTS},
                {"type": "server_tool_use", "name": "weather", "input": ARGUMENTS},
                {"type": "mcp_tool_use", "name": "weather", "server_name": "weather"},
                {"type": "mcp_tool_listing", "tools": [{"name": "weather"}]},
                {
                    "type": "compaction",
                    "content": "weather",
                    "tool_changes": [
                        {"type": "tool_removal", "tool": REFERENCE},
                        {
                            "type": "tool_addition",
                            "tool": {"type": "tool_definition", "definition": {"name": T("added")}},
                        },
                    ],
                },
                {
                    "type": "tool_search_tool_result",
                    "content": {
                        "type": "tool_search_tool_search_result",
                        "tool_references": [
                            {"type": "tool_reference", "tool_name": T("weather")},
                            {"type": "tool_reference", "tool_name": "weather_of_mcp"},
                        ],
                    },
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "weather", "content": "weather"},
                {
                    "type": "tool_result",
                    "content": [
                        {"type": "text", "text": "weather", "name": "weather"},
                        {"type": "tool_reference", "tool_name": T("weather")},
                        {"type": "document", "title": "weather", "source": {"name": "weather"}},
                    ],
                },
            ],
        },
    ],
}
CONTENT = [
    {"type": "text", "text": "pay__weather"},
    {"type": "tool_use", "id": "pay__weather", "name": sent("weather"), "input": MADE},
    {"input": MADE, "name": sent("patch"), "type": "tool_use"},
    {"type": "tool_use", "name": "weather", "input": MADE},
    {"type": "tool_use", "toolset_name": "browser", "name": "pay__find", "input": MADE},
    {"type": "server_tool_use", "name": "pay__weather", "input": MADE},
    {"type": "mcp_tool_use", "name": "pay__weather", "server_name": "pay__x", "input": MADE},
    {"type": "mcp_tool_listing", "tools": [{"name": "pay__weather"}]},
    {
        "type": "tool_search_tool_result",
        "content": {
            "tool_references": [{"type": "tool_reference", "tool_name": sent("weather")}],
            "type": "tool_search_tool_search_result",
        },
    },
    {"type": "mcp_tool_result", "content": [{"type": "text", "text": "pay__weather"}]},
    {
        "type": "compaction",
        "content": "pay__weather",
        "tool_changes": [
            {"type": "tool_removal", "tool": {"name": sent("x"), "type": "tool_reference"}},
            {"type": "tool_removal", "tool": {"type": "mcp_tool_reference", "name": "pay__x"}},
            {
                "type": "tool_addition",
                "tool": {
                    "type": "tool_definition",
                    "definition": {"name": sent("x"), "input_schema": SCHEMA},
                },
            },
            {
                "type": "tool_addition",
                "tool": {
                    "type": "tool_definition",
                    "definition": {
                        "type": "web_fetch_20260318",
                        "name": "web_fetch",
                        "url_sources": {
                            "client_tool_results": {"type": "only", "tools": [{"name": sent("x")}]},
                            "server_tool_results": {"tools": [{"name": "web_search"}]},
                        },
                    },
                },
            },
        ],
    },
]
MESSAGE = {"type": "message", "model": "pay__x", "content": CONTENT, "stop_reason": "tool_use"}
MESSAGES = Sample(
    [REQUEST, {"tools": [{"name": T("auto")}], "tool_choice": {"type": "any", "name": "auto"}}],
    [
        MESSAGE,
        {"type": "message_start", "message": MESSAGE},
        *[{"type": "content_block_start", "index": 0, "content_block": b} for b in CONTENT],
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "pay__weather"}},
        {"type": "content_block_delta", "delta": {"partial_json": '{"name": "pay__weather"}'}},
        {"type": "error", "error": {"message": "pay__weather"}},
    ],
)
COUNTED = Sample([REQUEST], [{"input_tokens": 3}])
BATCHES = Sample(
    [{"requests": [{"custom_id": "weather", "params": REQUEST}, {"params": {"model": "x"}}]}],
    [
        {"custom_id": "pay__x", "result": {"type": "succeeded", "message": MESSAGE}},
        {"type": "message_batch", "id": "pay__weather"},
    ],
)
