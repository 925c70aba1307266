"""`anthropic.messages`, also counted and in batches.

A tool of any `type` but `custom` is Anthropic's (bash, text editor, computer, web search, code
execution, memory, search for tools ...), and so is a member of a toolset. Names of MCP servers'
tools stand in blocks and references of their own kinds. Filters name tools, too: what an edit of
the context leaves alone, whose results may tell addresses to fetch. A compaction tells the tools
that were added and removed before it.
Sources: https://docs.anthropic.com/en/api/messages, anthropic 2.12 (types, types/beta),
https://platform.claude.com/docs/en/build-with-claude/context-editing and
.../mid-conversation-system-messages
"""

from llmproxy_core.namespace.grammar import Name, Node, Places, Text
from llmproxy_core.namespace.places.kinds import CUSTOM, DESCRIBED, FAILED, NAMED

CALL: frozenset[str | None] = frozenset({"tool_use"})
REFERENCE: frozenset[str | None] = frozenset({"tool_reference"})
CHOSEN: frozenset[str | None] = frozenset({"tool"})
OF_SERVERS: frozenset[str | None] = frozenset(
    {"server_tool_use", "mcp_tool_use", "mcp_tool_reference"}
)
TOOLSET = "toolset_name"

REFERENCES: list[Node] = [{"name": Name(REFERENCE, known=True)}]
SOURCES: dict[str, Node] = {"tools": REFERENCES}
TOOL: dict[str, Node] = {
    "name": Name(CUSTOM, declares=True),
    "url_sources": {"client_tool_results": SOURCES, "server_tool_results": SOURCES},
}
BLOCK: dict[str, Node] = {
    "name": Name(CALL, unless=TOOLSET),
    "tool_name": Name(REFERENCE, known=True),
    "tool": {"name": Name(REFERENCE, known=True), "definition": TOOL},
}
BLOCK["content"] = ([BLOCK], {"tool_references": [BLOCK]})
BLOCK["tool_changes"] = [BLOCK]
EDIT: dict[str, Node] = {
    "exclude_tools": [Name(known=True)],
    "clear_tool_inputs": [Name(known=True)],
}
REQUEST: dict[str, Node] = {
    "tools": [TOOL],
    "tool_choice": {"name": Name(CHOSEN)},
    "context_management": {"edits": [EDIT]},
    "messages": [{"content": [BLOCK]}],
}

ECHO: dict[str, Node] = {"tools": [NAMED]}
DEFINED: dict[str, Node] = {
    **NAMED,
    "url_sources": {"client_tool_results": ECHO, "server_tool_results": ECHO},
}
SAID: dict[str, Node] = {
    "name": Name(excluded=OF_SERVERS, unless=TOOLSET),
    "tool_name": Name(),
    "tool": {"name": Name(excluded=OF_SERVERS), "definition": DEFINED},
}
SAID["content"] = ([SAID], {"tool_references": [SAID]})
SAID["tool_changes"] = [SAID]
MESSAGE: dict[str, Node] = {"content": [SAID]}
ANSWER: dict[str, Node] = {**MESSAGE, "content_block": SAID, "message": MESSAGE}

TEXT: frozenset[str | None] = frozenset({"text"})
RESULT: frozenset[str | None] = frozenset({"tool_result"})
WORDS = Text(TEXT)
PASSAGE: dict[str, Node] = {"text": WORDS}
PASSAGE["content"] = (Text(RESULT), [PASSAGE])
CONTENT: Node = (Text(), [PASSAGE])
REQUEST_TEXT: dict[str, Node] = {
    "system": CONTENT,
    "messages": [{"content": CONTENT}],
    "tools": [DESCRIBED],
}
GOES_ON = Text(goes_on=True)
ANSWER_TEXT: dict[str, Node] = {
    "content": [PASSAGE],
    "message": {"content": [PASSAGE]},
    "content_block": {"text": GOES_ON},
    "delta": {"text": GOES_ON},
    "error": FAILED["error"],
}
"""Thoughts are signed: they stay as the model wrote them."""

MESSAGES = Places(REQUEST, ANSWER, request_text=REQUEST_TEXT, answer_text=ANSWER_TEXT)
COUNTED = Places(REQUEST, {}, request_text=REQUEST_TEXT)
BATCHES = Places({"requests": [{"params": REQUEST}]}, {"result": {"message": MESSAGE}})
