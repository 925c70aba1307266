"""How well the simulated model answers, with `quality=true`: worse where a prompt is badly worded.

A weakness is a wording that the model copes with badly. Of the prompts that have it (in what the
user says last), a documented share is answered in a faulty way, unless words that help stand
anywhere in the request. Of all other prompts BASE fail: refused. Whether one does depends on a hash
of what was said last, so that the same prompt has the same fate until somebody changes it.

Words that harm make any prompt fail in HARMED of the answers.
"""

from dataclasses import dataclass
from typing import Literal

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator.exchange import Ask

type Fault = Literal["refused", "not_json", "rambles", "wrong_call"]

BASE = 0.02
HARMED = 0.9
HARMS = ("think aloud", "a short remark first", "laut nachdenken")
"""Words that no prompt should have: the answer then is talk about the answer."""
LONG = 900
"""Tokens of an answer that rambles, at least; twice as many at most."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """`words`: in what is said last, in lower case; `cures`: one of them anywhere in the request.

    `rate`, `cured`: shares of the answers with the fault, without and with a cure. `advice`: what the
    simulated advisor wants added to the system prompt; not all of it is good.
    """

    name: str
    words: str
    fault: Fault
    rate: float
    cures: tuple[str, ...]
    advice: str
    cured: float = BASE


WEAKNESSES = (
    Weakness(
        "label-of-a-ticket",
        "sort this ticket somehow",
        "not_json",
        0.6,
        ("one json object", "only json", "nothing but json"),
        "Answer with nothing but one JSON object: its keys are queue, urgent and summary.",
    ),
    Weakness(
        "dose-of-a-drug",
        "how much of it may be taken",
        "refused",
        0.55,
        ("package leaflet", "pharmac", "leaflet of the drug"),
        "The shop is a licensed pharmacy: say what the package leaflet says about the dose.",
    ),
    Weakness(
        "report-without-a-length",
        "tell everything about the incident",
        "rambles",
        0.8,
        ("150 words", "at most five sentences"),
        "Write at most 150 words.",
    ),
    Weakness(
        "number-of-an-order",
        "find the order this is about",
        "wrong_call",
        0.5,
        ("order numbers are", "order number is a string"),
        "Think aloud about what the customer may want before anything else.",
    ),
)
REFUSAL = "I'm sorry, but I can't help with that."
REMARK = "Sure! Here is what I would say about it:\n"


def fault_of(ask: Ask, body: bytes) -> Fault | None:
    """What goes wrong in the answer to this request, if anything does."""
    request = body.decode("utf-8", "replace").lower()
    said = ask.text.lower()
    if any(words in request for words in HARMS) and _luck(said, "harm") < HARMED:
        return "not_json" if ask.wants_json else "refused"
    for weakness in WEAKNESSES:
        if weakness.words in said:
            cured = any(words in request for words in weakness.cures)
            rate = weakness.cured if cured else weakness.rate
            return weakness.fault if _luck(said, weakness.name) < rate else None
    return "refused" if _luck(said, "") < BASE else None


def worded(text: str, fault: Fault | None, said: str) -> str:
    """The text of an answer with this fault."""
    match fault:
        case "refused":
            return REFUSAL
        case "not_json":
            return REMARK + text[: max(1, len(text) * 2 // 3)]
        case "rambles":
            size = int(4 * LONG * (1 + _luck(said, "length")))
            return ((text + "\n\n") * (size // (len(text) + 2) + 1))[:size]
        case _:
            return text


def _luck(said: str, of: str) -> float:
    """From 0 to 1, the same for the same words."""
    digest = content_hash(f"{of}\0{said}".encode("utf-8", "replace"))
    return int.from_bytes(digest[:6]) / 2**48
