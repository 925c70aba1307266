"""`cohere.chat`, of both versions; the first names tools without a `function` around them.

A choice of tools is a word there, never a name.
Sources: https://docs.cohere.com/reference/chat, .../chat-stream and .../v1/reference/chat
"""

from llmproxy_core.namespace.grammar import Node, Places, Text
from llmproxy_core.namespace.places.kinds import FAILED, NAMED, UNTOLD
from llmproxy_core.namespace.places.openai_chat import MESSAGE, REQUEST_TEXT, SAID, TOOL, WORDS

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

HISTORY: list[Node] = [{"message": Text()}]
ASKED: dict[str, Node] = {
    **REQUEST_TEXT,
    "messages": [{**WORDS, "tool_plan": Text()}],
    "message": Text(),
    "preamble": Text(),
    "chat_history": HISTORY,
}
PART: dict[str, Node] = {"text": Text(UNTOLD | {"text"})}
ALL: dict[str, Node] = {"text": Text(), "chat_history": HISTORY}
GOES_ON: dict[str, Node] = {
    "content": {"text": Text(goes_on=True)},
    "tool_plan": Text(goes_on=True),
}
ANSWERED: dict[str, Node] = {
    **FAILED,
    "text": Text(goes_on=True),
    "chat_history": HISTORY,
    "response": ALL,
    "message": (Text(), {"content": [PART], "tool_plan": Text()}),
    "delta": {"message": GOES_ON},
}
"""Thoughts have a key of their own; a plan, in which tools are mentioned, is none."""

CHAT = Places(REQUEST, ANSWER, request_text=ASKED, answer_text=ANSWERED)
