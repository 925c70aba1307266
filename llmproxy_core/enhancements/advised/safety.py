"""Which of the advisor's edits are taken: everything else is refused, with a reason.

Exemplars may hold texts that try to steer the advisor. So what comes back is read as if an attacker
had written it: few operations, short and plain texts, nothing named that the operator's own prompts
do not name, nothing copied from single calls, nothing that a detector of anomalies finds odd.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import re2

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.marks import MARK
from llmproxy_core.enhancements.advised.limits import parameter_fault
from llmproxy_core.enhancements.advised.trusted import added, copied, texts
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.evidence import Evidence

LARGEST = 4000
"""Characters of all texts of an edit."""
LEAST_FOUND = 8
"""Characters of a text that is replaced: shorter ones stand where nobody looked."""
SUSPICIOUS = 0.5
"""The score of a finding with which an edit is refused."""
OVERRIDING = re2.compile(
    r"(?i)\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass|violate|circumvent"
    r"|(?:do not|don't|never|stop) (?:follow|obey|heed)(?:ing)?)\b[^.!?\n]{0,40}"
    r"\b(?:instructions?|rules?|guidelines?|policy|policies|restrictions?|prompts?|constraints?"
    r"|above|below|previous|prior|earlier)\b"
)
"""An edit adds to what the operator has written, and puts nothing of it out of force."""
LINES = frozenset("\n\t")
UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
JOINERS = frozenset("\u200c\u200d")
"""Needed in words of Persian, Indic scripts and in emoji; the detectors judge them."""


def fault(operations: Sequence[Operation], evidence: Evidence) -> str | None:
    """Why an edit is refused; None: it may be tried."""
    whole = "\n".join(text for one in operations for text in said(one))
    if len(whole) > LARGEST:
        return f"{len(whole)} characters of text; {LARGEST} at most"
    for one in operations:
        if wrong := _operation_fault(one, evidence) or _text_fault(said(one), evidence):
            return f"{one['op']}: {wrong}"
    return suspicion(whole)


def said(one: Operation) -> list[str]:
    """The texts that an operation writes into requests."""
    messages = one.get("messages")
    told = [one.get("text"), one.get("replacement")]
    told += [item.get("text") for item in messages or () if isinstance(item, Mapping)]  # type: ignore[union-attr]
    return [text for text in told if isinstance(text, str)]


def suspicion(text: str) -> str | None:
    """What detectors find in it, as in a text of a user: the whole, for orders may be spread."""
    if OVERRIDING.search(" ".join(text.split())):
        return "it puts other instructions out of force"
    for detector in DETECTORS:
        for found in detector.find(Text(text)):
            if found.score >= SUSPICIOUS:
                return f"{detector.name} finds something in it: {found.said}"
    return None


def _operation_fault(one: Operation, evidence: Evidence) -> str | None:
    check = CHECKS.get(str(one["op"]))
    if check is None:
        return "the advisor may not ask for it"
    return check(one, evidence)


def _text_fault(written: Sequence[str], evidence: Evidence) -> str | None:
    for text in written:
        if unseen := _unseen(text):
            return f"it has the character {unseen}, which nobody sees"
        if MARK.search(text):
            return "it has the mark of a masked secret"
        if "{slot" in text or "<*>" in text:
            return "it has a slot, which would be sent as it stands"
        if wrong := added(text, evidence) or copied(text, evidence):
            return wrong
    return None


def _unseen(text: str) -> str | None:
    for one in text:
        if unicodedata.category(one) in UNSEEN and one not in LINES and one not in JOINERS:
            return f"U+{ord(one):04X}"
    return None


def _appended(one: Operation, evidence: Evidence) -> str | None:
    return None if str(one.get("text", "")).strip() else "it adds nothing"


def _replaced(one: Operation, evidence: Evidence) -> str | None:
    find = str(one.get("find", ""))
    if len(find.strip()) < LEAST_FOUND:
        return f"what is replaced has fewer than {LEAST_FOUND} characters"
    if find == one.get("replacement"):
        return "it replaces words by themselves"
    if not any(find in text for text in texts(evidence)):
        return "what is replaced does not stand in every call"
    return None


def _examples(one: Operation, evidence: Evidence) -> str | None:
    told: Any = one.get("messages")
    roles = [item.get("role") for item in told] if isinstance(told, list) else []
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return "examples are pairs of user and assistant"
    return None


def _dropped(one: Operation, evidence: Evidence) -> str | None:
    told: Any = one.get("names")
    names = set(told) if isinstance(told, list) else set()
    declared = {name for call in evidence.calls for name in call.declared}
    needed = {name for call in evidence.calls for name in call.called | call.forced}
    if not names or not names <= declared or any(sign in name for name in names for sign in "*?[!"):
        return "it names tools that no call offers"
    if used := sorted(names & needed):
        return f"the tool {used[0][:80]!a} is called"
    return None


def _json(one: Operation, evidence: Evidence) -> str | None:
    known = "\n".join(texts(evidence)).lower()
    return None if "json" in known else "the prompts do not speak of JSON"


CHECKS = {
    "prepend_system": _appended,
    "append_system": _appended,
    "replace_text": _replaced,
    "add_messages": _examples,
    "drop_tools": _dropped,
    "response_format": _json,
    "set": parameter_fault,
    "clamp": parameter_fault,
}
"""What the advisor may ask for."""
