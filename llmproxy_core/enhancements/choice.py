"""Which suggestions become candidates: edits that can be done, are sure enough, and are new."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from llmproxy_core.enhancements.built_in import SUGGESTERS
from llmproxy_core.enhancements.edit import Operation, digest, size_fault
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence

ABOVE = 0.7
"""A candidate is surer than this."""

type Check = Callable[[Sequence[Operation], Collection[str]], str | None]
"""Why operations cannot be done on all of these wires; None: they can."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A suggestion that is no candidate, and why."""

    suggestion: Suggestion
    why: str


def built_in(
    evidence: Evidence,
    check: Check,
    tried: Collection[str] = (),
    above: float = ABOVE,
) -> tuple[list[Suggestion], list[Refused]]:
    """What the data alone suggest: at most one of each rule, the most valuable first.

    `tried`: digests of edits that the pattern has had (`enhancement.tried`).
    """
    chosen, refused = list[Suggestion](), list[Refused]()
    for suggest in SUGGESTERS.values():
        one, others = _first(suggest(evidence), evidence, check, tried, above)
        chosen += [one] if one else []
        refused += others
    chosen.sort(key=lambda one: (-(one.saving_usd_per_day or 0.0), -one.confidence))
    return chosen, refused


def fault(
    one: Suggestion,
    wires: Collection[str],
    check: Check,
    tried: Collection[str] = (),
    above: float = ABOVE,
) -> str | None:
    """Why a suggestion is no candidate; None: it is one."""
    if too_large := size_fault(one.edit):
        return too_large
    if not one.confidence > above:
        return f"a confidence of {one.confidence:.2f} is not above {above:g}"
    if digest(one.edit) in tried:
        return "the same edit was suggested before"
    if not wires:
        return "no call of the pattern can be edited"
    return check(one.edit, one.wires or wires)


def _first(
    found: Iterable[Suggestion],
    evidence: Evidence,
    check: Check,
    tried: Collection[str],
    above: float,
) -> tuple[Suggestion | None, list[Refused]]:
    refused = list[Refused]()
    for one in found:
        why = fault(one, evidence.wires, check, tried, above)
        if why is None:
            return one, refused
        refused.append(Refused(one, why))
    return None, refused
