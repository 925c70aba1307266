"""`openai.realtime`: events of the client and of the server; also Azure's voice live and xAI.

xAI puts `function` around what it declares. Transcription sessions have no tools.
Sources: https://platform.openai.com/docs/api-reference/realtime-client-events and
.../realtime-server-events, openai 3.54 (types/realtime)
"""

from llmproxy_core.namespace.grammar import Name, Node, Places
from llmproxy_core.namespace.places.kinds import CHOICE, EITHER, FUNCTION, NAMED
from llmproxy_core.namespace.places.openai_responses import CALLS, OUTPUT, SAID

TOOL: dict[str, Node] = {
    "name": Name(EITHER, declares=True),
    "function": {"name": Name(FUNCTION, level=1, declares=True)},
}
ITEM: dict[str, Node] = {"name": Name(CALLS)}
SESSION: dict[str, Node] = {
    "tools": [TOOL],
    "tool_choice": (
        CHOICE,
        {"name": Name(EITHER), "function": {"name": Name(FUNCTION, level=1)}},
    ),
}
REQUEST: dict[str, Node] = {
    "session": SESSION,
    "response": {**SESSION, "input": [ITEM]},
    "item": ITEM,
}

OFFERED: dict[str, Node] = {"name": SAID, "function": NAMED}
TOLD: dict[str, Node] = {"tools": [OFFERED], "tool_choice": (CHOICE, OFFERED)}
ANSWER: dict[str, Node] = {
    "session": TOLD,
    "response": {**TOLD, "output": [OUTPUT]},
    "item": OUTPUT,
    "name": SAID,
}

REALTIME = Places(REQUEST, ANSWER, turns="input")
