"""What policies decide about the calls of tools in an answer, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmproxy_core.anomaly.texts import call_text
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.policies.approvals import Hold, Outcome
from llmproxy_core.policies.engine import Policies
from llmproxy_core.policies.policy import Policy
from llmproxy_core.policies.ruling import Ruling, ruling, unjudged
from llmproxy_core.records import Decision

type Ask = Callable[[Hold, str, str], Outcome]
"""May a call of this tool with these arguments pass that is held?"""
type Note = Callable[[Judged, list[Decision]], None]
"""Hears what was found in a call, and what was decided."""


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Those of one answer. `facts`: of its request, see `facts`; `judge`: what the detectors say of
    a text, without what is not worth telling."""

    policies: Policies
    facts: dict[str, Any]
    judge: Callable[..., Judged]
    ask: Ask
    note: Note

    def decide(self, tool: str, arguments: str, whole: bool = True) -> str:
        """The text that takes the call's place; empty: it may go on. Raises nothing: what fails is
        stopped by policies that fail closed, and so is a call that is not judged as a `whole`."""
        policies = self.policies.of("tool_call")
        try:
            judged = self.judge(call_text(tool, arguments))
            facts = {**self.facts, "tool": tool}
            refused = unjudged(policies, judged if whole else None, facts)
            if refused is None:
                return self._decided(tool, arguments, judged)
        except Exception as exc:  # noqa: BLE001  each policy has said how it fails
            refused = unjudged(policies, None)
            judged = Judged(faults=[type(exc).__name__])
        decisions = []
        if refused is not None:
            name, mode = refused.policy.name, refused.policy.mode
            said, action = refused.said, refused.policy.action
            decisions = [Decision(name, mode, action, "refused unjudged", said)]
        self.note(judged, decisions)
        return refused.said if refused else ""

    def _decided(self, tool: str, arguments: str, judged: Judged) -> str:
        hits = self.policies.hits("tool_call", {**self.facts, "tool": tool}, judged.found)
        made = ruling(hits, judged, str(self.facts.get("model") or ""))
        decisions, said = made.decisions, made.refused.said if made.refused else ""
        if not said and made.holding is not None:
            policy, why = made.holding
            decisions, said = self._held(made, policy, why, tool, arguments)
        self.note(judged, decisions)
        return said

    def _held(
        self, made: Ruling, policy: Policy, why: str, tool: str, arguments: str
    ) -> tuple[list[Decision], str]:
        settings = policy.settings
        hold = Hold(policy.name, settings.message, settings.timeout_seconds, settings.on_timeout)
        outcome = self.ask(hold, tool, arguments)
        decided = [one for one in made.decisions if one.policy != policy.name]
        decided.append(
            Decision(policy.name, policy.mode, "hold", outcome.state, outcome.why or why)
        )
        return decided, "" if outcome.passes else outcome.said
