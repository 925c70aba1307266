"""`bedrock.converse`, `bedrock.invoke` and what is counted before.

`systemTool` is Amazon's own, as are calls of the type `server_tool_use`; Claude's own tools stand
in `additionalModelRequestFields`. The payload of an event of a stream lacks the name of the event
around it. `invoke` speaks the words of each maker: of Anthropic, Amazon (Nova: those of
`converse`), Mistral and OpenAI (chat), Cohere; its streamed pieces are base64 within
`{"bytes": ...}`, and `answer` is what is in there.
Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
.../API_runtime_ToolUseBlock.html, .../API_runtime_ToolReference.html, .../API_runtime_CountTokens.html
"""

from llmproxy_core.namespace.grammar import Name, Node, Places, Text
from llmproxy_core.namespace.places import anthropic, cohere, openai_chat
from llmproxy_core.namespace.places.kinds import CHOICE, DESCRIBED, EITHER, NAMED, NOBODY

SERVER_CALL: frozenset[str | None] = frozenset({"server_tool_use"})
REFERENCE: frozenset[str | None] = frozenset({None, "", "tool_reference"})

CALL: dict[str, Node] = {"name": Name(excluded=SERVER_CALL)}
CHANGE: dict[str, Node] = {"tool": {"name": Name(REFERENCE, known=True)}}
BLOCK: dict[str, Node] = {"toolUse": CALL, "toolAddition": CHANGE, "toolRemoval": CHANGE}
CONFIG: dict[str, Node] = {
    "tools": [
        {
            "toolSpec": {"name": Name(declares=True)},
            "systemTool": {"name": Name(NOBODY, declares=True)},
        }
    ],
    "toolChoice": {"tool": NAMED},
}
REQUEST: dict[str, Node] = {
    "toolConfig": CONFIG,
    "messages": [{"content": [BLOCK]}],
    "additionalModelRequestFields": {
        "tools": anthropic.REQUEST["tools"],
        "tool_choice": anthropic.REQUEST["tool_choice"],
    },
}
START: dict[str, Node] = {"start": {"toolUse": CALL}}
ANSWER: dict[str, Node] = {
    "output": {"message": {"content": [BLOCK]}},
    **START,
    "contentBlockStart": START,
}

OF_MAKERS: dict[str, Node] = {
    **openai_chat.REQUEST,
    **cohere.FIRST,
    **REQUEST,
    "tools": [{**openai_chat.TOOL, **anthropic.TOOL, "name": Name(EITHER, declares=True)}],
    "tool_choice": (
        CHOICE,
        {**openai_chat.CHOICES, "name": Name(EITHER | anthropic.CHOSEN)},
    ),
    "messages": [{**openai_chat.MESSAGE, "content": [{**anthropic.BLOCK, **BLOCK}]}],
    "context_management": anthropic.REQUEST["context_management"],
}
SAID_BY_MAKERS: dict[str, Node] = {
    **openai_chat.ANSWER,
    **cohere.ANSWER,
    **anthropic.ANSWER,
    **ANSWER,
    "message": {**anthropic.MESSAGE, **openai_chat.SAID},
}

WORDS: dict[str, Node] = {"text": Text()}
PASSAGE: dict[str, Node] = {**WORDS, "toolResult": {"content": [WORDS]}}
REQUEST_TEXT: dict[str, Node] = {
    "system": [WORDS],
    "messages": [{"content": [PASSAGE]}],
    "toolConfig": {"tools": [{"toolSpec": DESCRIBED}]},
}
GOES_ON: dict[str, Node] = {"delta": {"text": Text(goes_on=True)}}
ANSWER_TEXT: dict[str, Node] = {
    "output": {"message": {"content": [WORDS]}},
    **GOES_ON,
    "contentBlockDelta": GOES_ON,
    "message": Text(),
}

CONVERSE = Places(REQUEST, ANSWER, request_text=REQUEST_TEXT, answer_text=ANSWER_TEXT)
INVOKE = Places(OF_MAKERS, SAID_BY_MAKERS)
COUNTED = Places(
    {"input": {"converse": REQUEST}}, {}, request_text={"input": {"converse": REQUEST_TEXT}}
)
