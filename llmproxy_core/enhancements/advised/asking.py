"""Ask the advisor about a pattern, and take of its answer what may be tried."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from llmproxy_core.advisor import Advisor
from llmproxy_core.enhancements.advised.due import LEAST_FAILURES
from llmproxy_core.enhancements.advised.excerpts import excerpted
from llmproxy_core.enhancements.advised.proposal import (
    LONGEST_TEXT,
    MOST_CHANGES,
    MOST_OPERATIONS,
    Proposal,
    Proposals,
    operation,
)
from llmproxy_core.enhancements.advised.question import SYSTEM, question
from llmproxy_core.enhancements.advised.safety import fault as unsafe
from llmproxy_core.enhancements.advised.screening import screened
from llmproxy_core.enhancements.choice import ABOVE, Check, Refused, fault
from llmproxy_core.enhancements.edit import Operation, digest
from llmproxy_core.enhancements.enhancement import Enhancement, Suggestion, tried
from llmproxy_core.enhancements.evidence import Evidence, Exemplar

KIND = "enhancement"
INSTRUCTIONS = SYSTEM.format(
    operations=MOST_OPERATIONS, characters=LONGEST_TEXT, changes=MOST_CHANGES
)


@dataclass(frozen=True, slots=True)
class Advice:
    """`hash`: of the evidence, to be kept: the same is not asked again. `said`: why there is no
    answer; then nothing was learned, and it may be asked again later."""

    hash: str
    suggestions: tuple[Suggestion, ...] = ()
    refused: tuple[Refused, ...] = ()
    said: str = ""

    @property
    def is_answered(self) -> bool:
        return not self.said


async def advise(
    advisor: Advisor,
    evidence: Evidence,
    check: Check,
    past: Sequence[Enhancement] = (),
    above: float = ABOVE,
) -> Advice:
    """Raises nothing. Whether the pattern is due, `due.not_due` tells before.

    `check` and what reads texts run in a thread, since they take some milliseconds.
    """
    shown, hidden = await asyncio.to_thread(screened, evidence)
    if sum(bool(one.why) for one in shown.exemplars) < LEAST_FAILURES:
        return Advice(
            evidence.hash, said=f"{len(hidden)} calls try to steer the advisor; too few stay"
        )
    prepared = await asyncio.to_thread(_prepared, shown, past, advisor)
    if prepared is None:
        return Advice(evidence.hash, said=advisor.said)
    excerpts, asked = prepared
    answer = await advisor.ask(KIND, asked, Proposals, INSTRUCTIONS)
    if answer is None:
        return Advice(evidence.hash, said=advisor.said or "the advisor has no answer")
    engine = f"advisor:{advisor.model}"
    known = _with(excerpts, hidden, advisor)
    taken = await asyncio.to_thread(_judged, answer, engine, advisor, known, check, past, above)
    return Advice(evidence.hash, *taken)


def _prepared(
    evidence: Evidence, past: Sequence[Enhancement], advisor: Advisor
) -> tuple[Evidence, str] | None:
    """The evidence as it is shown, and the question; None: a text could not be masked."""
    excerpts = excerpted(evidence, advisor.masked)
    asked = question(excerpts, past, advisor.masked) if excerpts is not None else None
    return None if excerpts is None or asked is None else (excerpts, asked)


def _with(excerpts: Evidence, hidden: Sequence[Exemplar], advisor: Advisor) -> Evidence:
    """Nothing may be copied from calls that were not shown either; they make nothing trusted."""
    system = excerpts.exemplars[0].system
    more = (
        Exemplar(one.id, system, advisor.masked(one.user) or "", advisor.masked(one.answer) or "")
        for one in hidden
    )
    return replace(excerpts, exemplars=(*excerpts.exemplars, *more))


def _judged(
    answer: Proposals,
    engine: str,
    advisor: Advisor,
    evidence: Evidence,
    check: Check,
    past: Sequence[Enhancement],
    above: float,
) -> tuple[tuple[Suggestion, ...], tuple[Refused, ...]]:
    suggestions, refused = list[Suggestion](), list[Refused]()
    known = set(tried(past))
    for proposal in answer.changes:
        one, wrong = _read(proposal, engine, advisor)
        wrong = wrong or _fault(one, evidence, check, known, above)
        if wrong is None:
            suggestions.append(one)
            known.add(digest(one.edit))
        else:
            refused.append(Refused(one, wrong))
    return tuple(suggestions), tuple(refused)


def _fault(
    one: Suggestion, evidence: Evidence, check: Check, known: Collection[str], above: float
) -> str | None:
    return unsafe(one.edit, evidence) or fault(one, evidence.wires, check, known, above)


def _read(proposal: Proposal, engine: str, advisor: Advisor) -> tuple[Suggestion, str | None]:
    """The suggestion, without what could not be read of it; then it is refused."""
    operations, wrong = list[Operation](), None
    for proposed in proposal.operations:
        found = operation(proposed)
        if isinstance(found, str):
            wrong = wrong or found
        else:
            operations.append(found)
    reasoning = advisor.masked(proposal.reasoning) or "a reason that could not be masked"
    told = " ".join(reasoning.split())
    suggestion = Suggestion(
        type=proposal.type,
        edit=tuple(operations),
        confidence=proposal.confidence,
        reasoning=told if told.isprintable() else ascii(told),
        source_engine=engine,
    )
    return suggestion, wrong
