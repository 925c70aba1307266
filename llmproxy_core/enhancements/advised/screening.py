"""Exemplars that try to steer whoever reads them are not shown to the advisor."""

from dataclasses import replace

from llmproxy_core.anomaly.exfiltration import Exfiltration
from llmproxy_core.anomaly.finding import Author, Text
from llmproxy_core.anomaly.hidden_text import HiddenText
from llmproxy_core.anomaly.injection import Injection
from llmproxy_core.enhancements.evidence import Evidence, Exemplar

STEERING = 0.5
"""The score of a finding with which an exemplar is left out."""
HEAD, TAIL = 6000, 2000
"""Characters that are judged of a text: more than is shown of it."""
DETECTORS = (Injection(), HiddenText(), Exfiltration())


def screened(evidence: Evidence) -> tuple[Evidence, list[Exemplar]]:
    """The evidence without such exemplars, and these. Takes 1 to 3 ms each."""
    hidden = [one for one in evidence.exemplars if steers(one)]
    kept = tuple(one for one in evidence.exemplars if one not in hidden)
    return replace(evidence, exemplars=kept), hidden


def steers(one: Exemplar) -> bool:
    """Does what a user or a model wrote give orders that are not a user's to give?"""
    texts: tuple[tuple[str, Author], ...] = ((one.user, "user"), (one.answer, "assistant"))
    return any(_steers(text, author) for text, author in texts)


def _steers(text: str, author: Author) -> bool:
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    judged = Text(text, author)
    return any(found.score >= STEERING for detector in DETECTORS for found in detector.find(judged))
