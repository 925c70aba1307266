"""Which policies apply to a call, to a call of a tool, or to an answer."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmproxy_core.anomaly.located import Located
from llmproxy_core.policies.facts import of_findings
from llmproxy_core.policies.policy import Phase, Policy, PolicySettings, policy

PHASES: tuple[Phase, ...] = ("request", "tool_call", "answer")


@dataclass(frozen=True, slots=True)
class Hit:
    """A policy that applies, and the findings because of which it does; none: whatever is found."""

    policy: Policy
    findings: tuple[Located, ...] = ()


class Policies:
    """Those in force, the highest priority first, by name where it is equal. Never changes.

    `proven`: names of those whose bound of false positives is below what they allow.
    """

    def __init__(
        self, settings: Iterable[PolicySettings] = (), proven: Collection[str] = ()
    ) -> None:
        ordered = sorted(settings, key=lambda one: (-one.priority, one.name))
        self.all = tuple(
            policy(one, proven=one.name in proven) for one in ordered if one.mode != "off"
        )
        self.closed = any(one.closed and one.asks_findings and one.enforced for one in self.all)
        """Is there one that stops what could not be judged?"""
        self.asks_findings = any(one.asks_findings for one in self.all)
        self._of: dict[Phase, tuple[Policy, ...]] = {
            phase: tuple(one for one in self.all if phase in one.phases) for phase in PHASES
        }
        self._asked: dict[Phase, frozenset[str]] = {
            phase: frozenset().union(*(one.expression.variables for one in there))
            for phase, there in self._of.items()
        }
        self._families: dict[Phase, frozenset[str]] = {
            phase: frozenset().union(*(one.families for one in there))
            for phase, there in self._of.items()
        }

    def families(self, phase: Phase) -> frozenset[str]:
        """The families of findings that somebody asks about."""
        return self._families[phase]

    def asked(self, phase: Phase) -> frozenset[str]:
        """The variables that are looked at."""
        return self._asked[phase]

    def of(self, phase: Phase) -> tuple[Policy, ...]:
        return self._of[phase]

    def hits(self, phase: Phase, facts: dict[str, Any], found: Sequence[Located]) -> list[Hit]:
        """Those that apply, in order. `allow` takes what it applies to from those after it.

        `facts`: of the call, see `facts`; those of the findings are added here.
        """
        hits: list[Hit] = []
        facts = {**facts, **of_findings(found)}
        left = list(found)
        for one in self._of[phase]:
            if not one.asks_findings:
                if not one.expression.holds(facts):
                    continue
                hits.append(Hit(one))
                if one.action == "allow" and one.enforced:
                    break
                continue
            matched = tuple(finding for finding in left if _holds(one, facts, finding))
            if matched:
                hits.append(Hit(one, matched))
                if one.action == "allow" and one.enforced:
                    left = [finding for finding in left if finding not in matched]
        return hits


def _holds(policy: Policy, facts: dict[str, Any], found: Located) -> bool:
    return policy.expression.holds({**facts, **found.facts()})
