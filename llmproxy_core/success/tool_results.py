"""`tool_result`: did the tools that an answer called do what they were called for?

The next turn tells. Anthropic and Bedrock have a field for it, elsewhere there are only words. That
a command ended with a code other than 0 says little: `grep` does so where it finds nothing.
"""

import re

from llmproxy_core.model import Part, mapping, text_of
from llmproxy_core.providers.parsing import parse
from llmproxy_core.success.call import TURNS, Call
from llmproxy_core.success.newest import flagged, results
from llmproxy_core.success.signal import Signal, worded

TOLD, WORDED, CODED = 0.8, 0.6, 0.4
HEAD = 400
"""Characters of a result that are looked at."""
LARGEST = 200_000
"""Characters of a result that is read as JSON."""
ERROR = re.compile(
    r"\s*(?:<[a-z_]{1,20}>\s*)?(?:\[?error\]?\s*(?::|executing|calling|occurred|running|in tool|code)"
    r"|an error occurred|an exception occurred|exception:|[A-Z]?\w{0,40}(?:Error|Exception): "
    r"|traceback \(most recent call last\)|fatal:|failed to |failure:|unhandled |permission denied"
    r"|tool (?:call )?(?:failed|error|not found|execution failed)|unknown tool|no such tool"
    r"|tool \S{1,80} (?:not found|does not exist|is not available)|invalid (?:arguments?|input|parameters?)"
    r"|\d+ validation errors?|mcp error|timed? ?out\b|the user doesn't want to (?:proceed|take)"
    r"|<tool_use_error>|(?:file|path|directory) '?\S{1,200} (?:not found|does not exist))",
    re.IGNORECASE,
)
AGAIN = "fix the errors and try again"
"""What pydantic-ai puts after an error that a tool tells."""
CODE = re.compile(
    r"\s*(?:exit code:?|process exited with code|exited with code) (-?\d{1,10})", re.IGNORECASE
)
FAILURES = ("error", "isError", "is_error", "exception")
"""Fields of a JSON result that are true, or not empty, where it failed."""
SAID = ("output", "result", "content", "text")
"""Fields in which a text is wrapped; Gemini's results are always objects."""


def tool_result(call: Call) -> Signal | None:
    """About the call that `call` goes on from; None if no tool gave anything back."""
    if call.parent is None or call.relation not in TURNS:
        return None
    if not (found := results(call.request.messages)):
        return None
    told = flagged(call.body)
    faults = [fault for part in found if (fault := _fault(part, told))]
    if not faults:
        why = f"{len(found)} results"
        return Signal(call.parent, "tool_result", "good", "later", TOLD, why, call.id)
    weight, words = max(faults)
    return Signal(call.parent, "tool_result", "bad", "later", weight, worded(words), call.id)


def _fault(part: Part, told: set[str]) -> tuple[float, str] | None:
    """How sure it is that a tool failed, and what it said."""
    head = part.text[:HEAD]
    words = f"{part.name}: {head}" if part.name else head
    if (code := CODE.match(head)) and int(code[1]) != 0:
        return CODED, words
    if part.id in told:
        return TOLD, words
    if ERROR.match(head) or AGAIN in part.text[-HEAD:].lower():
        return WORDED, words
    return _of_json(part.text, words)


def _of_json(text: str, words: str) -> tuple[float, str] | None:
    if len(text) > LARGEST or not text.lstrip().startswith("{"):
        return None
    fields = mapping(parse(text.encode("utf-8", "surrogatepass"))[0])
    if any(fields.get(key) for key in FAILURES) or fields.get("success") is False:
        return WORDED, words
    if any(ERROR.match(text_of(fields.get(key))[:HEAD]) for key in SAID):
        return WORDED, words
    metadata = mapping(fields.get("metadata"))
    code = fields.get("exit_code", metadata.get("exit_code"))
    return (CODED, words) if isinstance(code, int) and code else None
