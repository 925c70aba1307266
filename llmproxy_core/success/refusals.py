"""`refusal`: the model, or a filter of its provider, does not do what was asked.

Filters and models that mark their refusals are sure. Words are less so: they are looked for in the
beginning of an answer. "I cannot" and "I will not" are both refusals, also where the model says that it
has no access to something.
"""

from llmproxy_core.success.call import Call
from llmproxy_core.success.filters import filtered
from llmproxy_core.success.phrases import Phrases, opening
from llmproxy_core.success.signal import Signal, worded

HEAD = 280
"""Characters of an answer in which a refusal begins, if it is one."""
LONG = 2000
"""Characters of an answer that is hardly a refusal, however it begins."""
PART = 400
"""Characters of an answer that helps in another way than was asked."""
WORDS, DOUBTFUL = 0.8, 0.4
THOUGHTS = ("<think>", "<thinking>")

REFUSALS = Phrases("refusals.txt", "refusing")
OTHERWISE = Phrases("refusals.txt", "instead")
LETTERS = Phrases("refusals.txt", "letter")


def refused(call: Call) -> Signal | None:
    """Of several answers, all must be refusals."""
    if word := filtered(call.response):
        told = call.response.refusal or (call.response.error.message if call.response.error else "")
        return Signal(call.id, "refusal", "bad", "wire", 1.0, worded(f"{word}: {told}".strip(": ")))
    if not call.says or call.response.tool_calls or call.response.server_tool_calls:
        return None
    found = [refusal_in(text) for text in call.response.texts]
    if not found or not all(found):
        return None
    weight, quote = min(one for one in found if one)
    return Signal(call.id, "refusal", "bad", "answer", weight, worded(quote))


def refusal_in(text: str) -> tuple[float, str] | None:
    """How sure it is that an answer is a refusal, and its words; None if there are no such words."""
    text = _said(text)
    if not text or text[0] in '{["':
        return None
    head = opening(text, HEAD)
    place = REFUSALS.find(head)
    if place is None or LETTERS.find(head):
        return None
    start, end = place
    partly = len(text) > PART and OTHERWISE.find(opening(text, 2 * HEAD)[end:])
    weight = DOUBTFUL if partly or len(text) > LONG else WORDS
    return weight, head[start:].lstrip(" ,.;:!?")[:120]


def _said(text: str) -> str:
    """Without the thoughts that some models put before an answer."""
    text = text.lstrip()
    for tag in THOUGHTS:
        if text.startswith(tag):
            return text.partition(tag.replace("<", "</"))[2].lstrip() or text
    return text
