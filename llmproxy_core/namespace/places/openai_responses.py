"""`openai.responses`: its items, its tools, and the echo of a request in its answer.

A `namespace` holds tools; its own name stays. But OpenAI puts each deferred or added function that
has no namespace into one of the function's own name, and says so in `tools`, in the function's
calls (`namespace`) and in `paths` of a search: there a name is a tool's if it is a known one.
Names within `mcp_list_tools`, `mcp_call` and `mcp_approval_request` are those of MCP servers.
Sources: https://platform.openai.com/docs/api-reference/responses, openai 3.54 (types/responses),
https://developers.openai.com/api/docs/guides/tools-tool-search, Codex (codex-rs/core)
"""

from llmproxy_core.namespace.grammar import Name, Node, Places, Text
from llmproxy_core.namespace.places.kinds import CHOICE, EITHER, FAILED

TOLD: frozenset[str | None] = frozenset({"function", "custom"})
CALLS: frozenset[str | None] = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
    }
)
SEARCH: frozenset[str | None] = frozenset({"tool_search_call"})
OF_SERVERS: frozenset[str | None] = frozenset(
    {"mcp_call", "mcp_approval_request", "response.mcp_call_arguments.done"}
)

LATER: dict[str, Node] = {"name": Name(TOLD, declares=True)}
"""A tool within a namespace, or among the input (`additional_tools`, what a search found): there
it has a type, other than the tools of MCP servers."""
LATER["tools"] = [LATER]
TOOL: dict[str, Node] = {"name": Name(EITHER, declares=True), "tools": [LATER]}
ITEM: dict[str, Node] = {
    "name": Name(CALLS),
    "namespace": Name(CALLS, known=True),
    "tools": [LATER],
    "arguments": {"paths": [Name(SEARCH, level=1, known=True)]},
}
CHOSEN: dict[str, Node] = {"name": Name(TOLD)}
REQUEST: dict[str, Node] = {
    "tools": [TOOL],
    "tool_choice": (CHOICE, {**CHOSEN, "tools": [CHOSEN]}),
    "input": [ITEM],
}

SAID = Name(excluded=OF_SERVERS)
OFFERED: dict[str, Node] = {"name": SAID}
OFFERED["tools"] = [OFFERED]
OUTPUT: dict[str, Node] = {
    "name": SAID,
    "namespace": SAID,
    "tools": [OFFERED],
    "arguments": {"paths": [Name()]},
}
RESPONSE: dict[str, Node] = {
    "tools": [OFFERED],
    "tool_choice": (CHOICE, OFFERED),
    "output": [OUTPUT],
}
ANSWER: dict[str, Node] = {
    **RESPONSE,
    "response": RESPONSE,
    "item": OUTPUT,
    "name": SAID,
    "required_input": [OUTPUT],
    "steer": {"input": [OUTPUT]},
}

PART: dict[str, Node] = {
    "text": Text(frozenset({"input_text", "output_text", "text"})),
    "refusal": Text(frozenset({"refusal"})),
}
RESULTS: frozenset[str | None] = frozenset({"function_call_output", "custom_tool_call_output"})
DESCRIBED: dict[str, Node] = {"description": Text()}
DESCRIBED["tools"] = [DESCRIBED]
SPOKEN: dict[str, Node] = {
    "content": (Text(frozenset({None, "message"})), [PART]),
    "output": (Text(RESULTS), [PART]),
    "tools": [DESCRIBED],
}
REQUEST_TEXT: dict[str, Node] = {
    "instructions": Text(),
    "input": (Text(), [SPOKEN]),
    "tools": [DESCRIBED],
}
SO_FAR: dict[str, Node] = {
    "instructions": (Text(), [SPOKEN]),
    "tools": [DESCRIBED],
    "output": [SPOKEN],
    "error": FAILED["error"],
}
ANSWER_TEXT: dict[str, Node] = {
    **SO_FAR,
    "response": SO_FAR,
    "item": SPOKEN,
    "part": PART,
    "delta": Text(
        frozenset({"response.output_text.delta", "response.refusal.delta"}), goes_on=True
    ),
    "text": Text(frozenset({"response.output_text.done"})),
    "refusal": Text(frozenset({"response.refusal.done"})),
    "message": Text(frozenset({"error"})),
}

RESPONSES = Places(
    REQUEST, ANSWER, turns="input", request_text=REQUEST_TEXT, answer_text=ANSWER_TEXT
)
COUNTED = Places(REQUEST, {}, turns="input", request_text=REQUEST_TEXT)
WEBSOCKET = Places(
    {**REQUEST, "response": REQUEST},
    ANSWER,
    turns="input",
    request_text={**REQUEST_TEXT, "response": REQUEST_TEXT},
    answer_text=ANSWER_TEXT,
)
