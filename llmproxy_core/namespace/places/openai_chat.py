"""`openai.chat` and its dialects: Mistral, DeepSeek, Groq, OpenRouter, Azure, xAI, watsonx.

Some declare tools without the `function` around them. Moonshot's `builtin_function` and tools of
other types (`web_search`, `openrouter:...`) are the provider's own.
Sources: https://platform.openai.com/docs/api-reference/chat, openai 3.54 (types/chat),
https://platform.moonshot.ai/docs/guide/use-web-search
"""

from llmproxy_core.namespace.grammar import Name, Node, Places, Text
from llmproxy_core.namespace.places.kinds import (
    CHOICE,
    CUSTOM,
    DESCRIBED,
    EITHER,
    FAILED,
    FUNCTION,
    NAMED,
    RESULT,
    UNTOLD,
)

TOOL: dict[str, Node] = {
    "function": {"name": Name(FUNCTION, level=1, declares=True)},
    "custom": {"name": Name(CUSTOM, level=1, declares=True)},
    "name": Name(EITHER, declares=True),
}
CALL: dict[str, Node] = {
    "function": {"name": Name(FUNCTION, level=1)},
    "custom": {"name": Name(CUSTOM, level=1)},
}
CHOSEN: dict[str, Node] = {**CALL, "name": Name(EITHER)}
CHOICES: dict[str, Node] = {**CHOSEN, "allowed_tools": {"tools": [CHOSEN]}}
MESSAGE: dict[str, Node] = {
    "name": Name(RESULT, key="role"),
    "tool_calls": [CALL],
    "function_call": NAMED,
}
REQUEST: dict[str, Node] = {
    "tools": [TOOL],
    "tool_choice": (CHOICE, CHOICES),
    "functions": [{"name": Name(declares=True)}],
    "function_call": (CHOICE, NAMED),
    "messages": [MESSAGE],
}
SAID: dict[str, Node] = {
    "tool_calls": [{"function": NAMED, "custom": NAMED}],
    "function_call": NAMED,
}
ANSWER: dict[str, Node] = {"choices": [{"message": SAID, "delta": SAID}]}

REFUSAL: frozenset[str | None] = frozenset({"refusal"})
PART: dict[str, Node] = {"text": Text(UNTOLD | {"text"}), "refusal": Text(REFUSAL)}
WORDS: dict[str, Node] = {"content": (Text(), [PART]), "refusal": Text()}
REQUEST_TEXT: dict[str, Node] = {
    "messages": [WORDS],
    "tools": [{"function": DESCRIBED, "custom": DESCRIBED, **DESCRIBED}],
    "functions": [DESCRIBED],
}
DELTA: dict[str, Node] = {
    "content": (Text(goes_on=True), [{"text": Text(UNTOLD | {"text"}, goes_on=True)}]),
    "refusal": Text(goes_on=True),
}
ANSWER_TEXT: dict[str, Node] = {"choices": [{"message": WORDS, "delta": DELTA}], **FAILED}

CHAT = Places(REQUEST, ANSWER, request_text=REQUEST_TEXT, answer_text=ANSWER_TEXT)
