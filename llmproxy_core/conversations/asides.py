"""Requests beside a conversation: they are about it, or warm up for it, but are no turn of it."""

import re
from collections.abc import Mapping

from llmproxy_core.model import Request

COUNTING = ("count_tokens", ":counttokens", "/input_tokens", "/count-tokens")
LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "inferenceConfig.maxTokens",
    "options.num_predict",
)
CLASS = "x-claude-code-request-class"
TURNS = frozenset({"main", "subagent", "workflow", "compaction"})
"""Classes of Claude Code whose requests are turns; `auxiliary` ones are not."""
TITLE = re.compile(
    r"\b(generat|writ|creat|summar|analy[sz]e|output|title generator)[^.\n]{0,80}\b(title|topic)\b"
)
SYSTEM_START = 400
FEW = 3
GEMINI_CLI = "geminicli"


def is_aside(path: str, headers: Mapping[str, str], request: Request) -> bool:
    """`headers`: by their names in lower case. Counting of tokens, a probe for one token, a warm-up, a title for the conversation."""
    if path.partition("?")[0].lower().endswith(COUNTING):
        return True
    told = headers.get(CLASS)
    if told in TURNS:
        return False
    parameters = request.parameters
    return (
        told == "auxiliary"
        or parameters.get("generate") is False
        or any(parameters.get(name) == 1 for name in LIMITS)
        or _makes_title(request)
        or _chooses(headers, request)
    )


def _chooses(headers: Mapping[str, str], request: Request) -> bool:
    """Gemini CLI asks which model to take, who speaks next, whether it goes round in circles."""
    if request.tools or GEMINI_CLI not in headers.get("user-agent", "").lower():
        return False
    return request.parameters.get("responseMimeType") == "application/json"


def _makes_title(request: Request) -> bool:
    if request.tools or len(request.messages) > FEW:
        return False
    system = [part.text for part in request.system]
    system += [p.text for m in request.messages if m.role == "system" for p in m.parts]
    starts = [text[:SYSTEM_START].lower() for text in system]
    return any(
        ("title" in text or "topic" in text) and TITLE.search(text) is not None for text in starts
    )
