"""`gemini`, of the Gemini API, Vertex AI and Code Assist, and `gemini.live`.

Keys come in camelCase, from some SDKs in snake_case; Google takes a single object for a list of
one. Code Assist puts an envelope around both directions. Google's own tools have keys instead of
names, but for what `computerUse` lets the model call.
Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/tokens,
https://ai.google.dev/api/live, https://ai.google.dev/gemini-api/docs/computer-use
"""

from llmproxy_core.namespace.grammar import Name, Node, Places, Text
from llmproxy_core.namespace.places.kinds import DESCRIBED, FAILED, NAMED

COMPUTER_USE = frozenset(
    {
        b"open_web_browser",
        b"wait_5_seconds",
        b"go_back",
        b"go_forward",
        b"search",
        b"navigate",
        b"click_at",
        b"hover_at",
        b"type_text_at",
        b"key_combination",
        b"scroll_document",
        b"scroll_at",
        b"drag_and_drop",
    }
)


def either(camel: str, snake: str, node: Node) -> dict[str, Node]:
    """One field under both of its spellings."""
    return {camel: node, snake: node}


def some(node: dict[str, Node]) -> Node:
    """A list, or a single object."""
    return ([node], node)


PART: dict[str, Node] = {
    **either("functionCall", "function_call", NAMED),
    **either("functionResponse", "function_response", NAMED),
}
CONTENT: dict[str, Node] = {"parts": some(PART)}
DECLARED: dict[str, Node] = {"name": Name(declares=True)}
TOOL = either("functionDeclarations", "function_declarations", some(DECLARED))
ALLOWED = either("allowedFunctionNames", "allowed_function_names", [Name(known=True)])
CALLING = either("functionCallingConfig", "function_calling_config", ALLOWED)
PLAIN: dict[str, Node] = {
    "contents": some(CONTENT),
    "tools": some(TOOL),
    **either("toolConfig", "tool_config", CALLING),
}
REQUEST: dict[str, Node] = {**PLAIN, "request": PLAIN}
COUNT: dict[str, Node] = {
    **REQUEST,
    **either("generateContentRequest", "generate_content_request", PLAIN),
}
EVENT: dict[str, Node] = {"candidates": [{"content": CONTENT}]}
ENVELOPE: dict[str, Node] = {**EVENT, "response": EVENT}
ANSWER: Node = ([ENVELOPE], ENVELOPE)

RESULTS = either("functionResponses", "function_responses", some(NAMED))
CALLS = either("functionCalls", "function_calls", some(NAMED))
FROM_CLIENT: dict[str, Node] = {
    "setup": PLAIN,
    **either("clientContent", "client_content", {"turns": some(CONTENT)}),
    **either("toolResponse", "tool_response", RESULTS),
}
FROM_SERVER: dict[str, Node] = {
    **either("toolCall", "tool_call", CALLS),
    **either("serverContent", "server_content", either("modelTurn", "model_turn", CONTENT)),
}

GIVEN: dict[str, Node] = {"output": Text(), "result": Text(), "error": Text()}
"""What a function has given back is JSON; a text alone stands under one of these."""
PASSAGE: dict[str, Node] = {
    "text": Text(unless="thought"),
    **either("functionResponse", "function_response", {"response": GIVEN}),
}
PASSAGES: dict[str, Node] = {"parts": some(PASSAGE)}
OFFERED = either("functionDeclarations", "function_declarations", some(DESCRIBED))
WORDS: dict[str, Node] = {
    "contents": some(PASSAGES),
    "tools": some(OFFERED),
    **either("systemInstruction", "system_instruction", PASSAGES),
}
REQUEST_TEXT: dict[str, Node] = {
    **WORDS,
    "request": WORDS,
    **either("generateContentRequest", "generate_content_request", WORDS),
}
GOES_ON: dict[str, Node] = {"parts": some({"text": Text(unless="thought", goes_on=True)})}
SAID: dict[str, Node] = {"candidates": [{"content": GOES_ON}], "error": FAILED["error"]}
ANSWER_TEXT: Node = ([{**SAID, "response": SAID}], {**SAID, "response": SAID})

GENERATE = Places(
    REQUEST,
    ANSWER,
    turns="contents",
    own=COMPUTER_USE,
    request_text=REQUEST_TEXT,
    answer_text=ANSWER_TEXT,
)
COUNTED = Places(COUNT, {}, turns="contents", own=COMPUTER_USE, request_text=REQUEST_TEXT)
LIVE = Places(FROM_CLIENT, FROM_SERVER, turns="turns", own=COMPUTER_USE)
