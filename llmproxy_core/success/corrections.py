"""`correction`: the next thing that the person says is that the answer is not right."""

from llmproxy_core.success.call import TURNS, Call
from llmproxy_core.success.newest import answer_before, said
from llmproxy_core.success.phrases import Phrases, opening
from llmproxy_core.success.signal import Signal, worded

HEAD = 120
"""Characters in which a correction begins."""
SURE, ASKED, DOUBTED = 0.8, 0.4, 0.5
QUESTIONS = ("?", "\uff1f", "\u061f")

CORRECTIONS = Phrases("corrections.txt", "correcting")
THANKS = Phrases("corrections.txt", "thanking")
DOUBTS = Phrases("corrections.txt", "doubting")


def corrected(call: Call) -> Signal | None:
    """About the call that `call` goes on from; None if it does not correct it."""
    if call.parent is None or call.relation not in TURNS or call.aside:
        return None
    found = correction_in(said(call.request.messages))
    if found is None:
        return None
    weight, quote = found
    if answer_before(call.request.messages).rstrip(" \n*_)").endswith(QUESTIONS):
        weight = min(weight, ASKED)  # "No, use tabs" is an answer there
    return Signal(call.parent, "correction", "bad", "user", weight, worded(quote), call.id)


def correction_in(text: str) -> tuple[float, str] | None:
    """How sure it is that a text corrects what was said before, and its first words."""
    head = opening(text, HEAD)
    if not head or THANKS.find(head):
        return None
    if CORRECTIONS.find(head):
        return SURE, head
    return (DOUBTED, head) if DOUBTS.find(head) else None
