"""`ollama.chat`: its messages with results have a `tool_name`; /api/generate knows no tools.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from llmproxy_core.namespace.grammar import Name, Node, Places
from llmproxy_core.namespace.places.kinds import FAILED, RESULT
from llmproxy_core.namespace.places.openai_chat import DELTA, MESSAGE, REQUEST_TEXT, SAID, TOOL

TURN: dict[str, Node] = {**MESSAGE, "tool_name": Name(RESULT, key="role")}
REQUEST: dict[str, Node] = {"tools": [TOOL], "messages": [TURN]}

CHAT = Places(
    REQUEST,
    {"message": SAID},
    request_text=REQUEST_TEXT,
    answer_text={**FAILED, "message": DELTA},
)
