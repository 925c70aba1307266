"""What is typed to filter findings: `severity:>=high family:secret ns:payments status:all words`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from llmproxy_core.anomaly.finding import Family, Severity
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.guard_rows import OPEN, SEVERITIES, STATUSES, Status

EXAMPLE = "severity:>=high family:secret ns:payments status:all some words"
FAMILIES: tuple[Family, ...] = get_args(Family.__value__)


class FindingFilterError(LlmproxyError):
    """What was typed is no filter; says why."""


def parse(text: str) -> Queue:
    """Without `status:` those that nobody has settled yet.

    Raises:
        FindingFilterError: a term is not known, or its value is not.
    """
    wanted = Queue()
    for term in text.split():
        key, colon, value = term.partition(":")
        if not colon or not value:
            wanted = replace(wanted, words=[*wanted.words, term])
        elif key in ("severity", "sev"):
            wanted = replace(wanted, severities=_severities(value))
        elif key == "family":
            family = _one_of(term, value, FAMILIES)
            wanted = replace(wanted, families=[*wanted.families, family])
        elif key == "status":
            wanted = replace(wanted, statuses=_statuses(value))
        elif key == "detector":
            wanted = replace(wanted, detector=value)
        elif key == "ns":
            wanted = replace(wanted, namespace=value)
        else:
            raise FindingFilterError(f"{key}: is none of severity, family, status, detector, ns")
    return wanted


def _severities(value: str) -> Sequence[Severity]:
    """`>=high` or `high`."""
    least = value.startswith(">=")
    name = _one_of(f"severity:{value}", value.removeprefix(">="), SEVERITIES)
    return SEVERITIES[SEVERITIES.index(name) :] if least else (name,)


def _statuses(value: str) -> Sequence[Status]:
    if value in ("all", "open"):
        return STATUSES if value == "all" else OPEN
    return (_one_of(f"status:{value}", value, STATUSES),)


def _one_of[Name: str](term: str, value: str, known: Sequence[Name]) -> Name:
    """The one that begins like this."""
    found = [one for one in known if one.startswith(value.lower().replace("-", "_"))]
    if not found:
        raise FindingFilterError(f"{term}: it is one of {', '.join(known)}")
    return found[0]
