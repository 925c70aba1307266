"""`cohere.chat`, of both versions; the first names tools without a `function` around them.

A choice of tools is a word there, never a name.
Sources: https://docs.cohere.com/reference/chat, .../chat-stream and .../v1/reference/chat
"""

from llmproxy_core.namespace.grammar import Node, Places
from llmproxy_core.namespace.places.kinds import NAMED
from llmproxy_core.namespace.places.openai_chat import MESSAGE, SAID, TOOL

RESULT: dict[str, Node] = {"call": NAMED}
TURN: dict[str, Node] = {"tool_calls": [NAMED], "tool_results": [RESULT]}
FIRST: dict[str, Node] = {"chat_history": [TURN], "tool_results": [RESULT]}
REQUEST: dict[str, Node] = {"tools": [TOOL], "messages": [MESSAGE], **FIRST}

CALL: dict[str, Node] = {"function": NAMED}
WHOLE: dict[str, Node] = {"tool_calls": [NAMED], "chat_history": [TURN]}
ANSWER: dict[str, Node] = {
    **WHOLE,
    "response": WHOLE,
    "tool_call_delta": NAMED,
    "message": SAID,
    "delta": {"message": {"tool_calls": ([CALL], CALL)}},
}

CHAT = Places(REQUEST, ANSWER)
