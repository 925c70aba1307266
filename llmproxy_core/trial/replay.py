"""A policy, asked about calls of the past as the proxy and the worker would have asked it.

As if it were in force: its mode and its bound do not count. Other policies count only where they
`allow` before it is asked. What it would have changed in later calls is not known.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.marks import Marks
from llmproxy_core.anomaly.panel import Panel
from llmproxy_core.config import PolicyConfig
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.limits.clock import Clock
from llmproxy_core.policies import Hit, Phase, Policies, Policy
from llmproxy_core.policies.facts import Facts, of_request, of_response
from llmproxy_core.policies.ruling import OUTCOMES, reason
from llmproxy_core.policies.throttle import Throttle
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.labels import Judged, Labelled
from llmproxy_core.trial.calls import Call

REMEMBERED = 50_000
"""Texts whose verdict is known without looking."""
EXAMPLES = 5
TOOLS = frozenset({"request.tools"})
"""What is looked at to deny tools."""
PHASES: tuple[Phase, ...] = ("request", "tool_call", "answer")

type Key = tuple[Hash, str, str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """A call that the policy would have acted on. `why`: as people are told."""

    id: UUID
    at: datetime
    namespace: str
    model: str
    phase: Phase
    why: str


@dataclass(slots=True)
class Trial:
    """`acted`: calls, by what would have become of them, where, and in which namespace. `judged`:
    the findings because of which, as far as people have judged them."""

    policy: PolicyConfig
    since: datetime
    calls: int = 0
    hit: int = 0
    """Calls that it would have acted on."""
    unreadable: int = 0
    without_texts: int = 0
    faults: set[str] = field(default_factory=set)
    """Of detectors, in words."""
    more: bool = False
    """There are older calls since then: too many to be tried."""
    acted: Counter[tuple[str, Phase, str]] = field(default_factory=Counter)
    findings: int = 0
    """Different ones because of which it would have acted."""
    examples: list[Example] = field(default_factory=list)
    judged: Judged = field(default_factory=Judged)


class Replay:
    """Calls have to come the oldest first. Raises nothing on any call."""

    def __init__(
        self,
        trial: Trial,
        others: Iterable[PolicyConfig] = (),
        labelled: Iterable[Labelled] = (),
    ) -> None:
        self.trial = trial
        tested = trial.policy.model_copy(update={"mode": "active", "max_false_positive_rate": None})
        allowing = [
            one
            for one in others
            if one.action == "allow" and one.mode == "active" and one.name != tested.name
        ]
        self._policies = Policies([tested, *allowing])
        (self._tested,) = (one for one in self._policies.all if one.name == tested.name)
        asked = self._tested.expression.variables
        self._asked = TOOLS.union(*(self._policies.asked(phase) for phase in PHASES))
        self._looks = any(name.startswith("finding") for name in asked)
        self._panel = Panel((*DETECTORS, Marks()))
        if self._looks:
            self._panel.warm()
        self._known: Recent[Key, tuple[Located, ...]] = Recent(REMEMBERED)
        self._labels = _Labels(labelled)
        self._found: set[tuple[str, Hash, str]] = set()
        self._now = 0.0
        self._throttle: Throttle | None = None

    def ask(self, call: Call) -> None:
        trial, self._now = self.trial, call.asked.started_at.timestamp()
        trial.calls += 1
        trial.without_texts += not call.has_texts
        facts = of_request(call.about(), self._asked, lambda: call.request)
        told = False
        for phase in PHASES:
            if phase in self._tested.phases and (hit := self._phase(call, phase, facts)):
                self._note(call, phase, hit, told=told)
                told = True
        trial.hit += told

    def finish(self) -> Trial:
        self.trial.findings = len(self._found)
        self.trial.judged = self._labels.judged()
        return self.trial

    def _phase(self, call: Call, phase: Phase, facts: Facts) -> Hit | None:
        if phase == "request":
            return self._hit(phase, facts, self._judged(call.request_texts))
        if phase == "answer":
            row = call.told
            if row is None:
                return None
            answer = of_response(call.answer, row.status, row.body_bytes, row.duration_ms)
            answer["cost.usd"] = None if row.cost_usd is None else float(row.cost_usd)
            return self._hit(phase, facts | answer, self._judged(call.answer_texts))
        for text in call.tool_calls():
            found = self._judge(text) if self._looks else ()
            if hit := self._hit(phase, facts | {"tool": text.tool}, found):
                return hit
        return None

    def _hit(self, phase: Phase, facts: Facts, found: Sequence[Located]) -> Hit | None:
        hits = self._policies.hits(phase, facts, found)
        hit = next((one for one in hits if one.policy is self._tested), None)
        return hit if hit is not None and self._acts(hit.policy, facts) else None

    def _acts(self, policy: Policy, facts: Facts) -> bool:
        """Some actions let pass what they apply to."""
        if policy.action == "allow_models":
            return not (facts["model"] and policy.models(facts["model"]))
        if policy.action == "throttle":
            self._throttle = self._throttle or Throttle(clock=Clock(self._time, self._time))
            per_minute = policy.settings.per_minute or 1
            return bool(self._throttle.ask(policy.name, per_minute, facts["namespace"]))
        if policy.action == "deny_tools":
            return any(map(policy.tools, facts["request.tools"]))
        return True

    def _time(self) -> float:
        return self._now

    def _judged(self, texts: Callable[[], list[Text]]) -> list[Located]:
        if not self._looks:
            return []
        return [one for text in texts() for one in self._judge(text)]

    def _judge(self, text: Text) -> tuple[Located, ...]:
        digest = content_hash(text.text.encode("utf-8", "surrogatepass"))
        key = digest, text.author, text.kind, text.tool
        known = self._known.get(key)
        if known is None:
            faults: list[str] = []
            found = self._panel.find(text, faults)
            known = tuple(Located.of(one, text, digest).remembered() for one in found)
            if faults:
                self.trial.faults.update(faults)
            else:
                self._known[key] = known
        return known

    def _note(self, call: Call, phase: Phase, hit: Hit, *, told: bool) -> None:
        trial = self.trial
        trial.acted[(OUTCOMES[hit.policy.action], phase, call.namespace)] += 1
        for one in hit.findings:
            self._found.add((one.finding.detector, one.hash, one.value))
            self._labels.note(call, one)
        if not told and len(trial.examples) < EXAMPLES:
            model = call.asked.model or ""
            why = reason(hit, model)
            trial.examples.append(
                Example(call.id, call.asked.started_at, call.namespace, model, phase, why)
            )


class _Labels:
    """A finding is known again by its text, or by its call, whose text may have been masked since."""

    def __init__(self, labelled: Iterable[Labelled]) -> None:
        self._known: dict[tuple[int, str, UUID], Labelled] = {}
        for one in labelled:
            for key in (one.text_hash, one.request_id, one.last_request_id):
                self._known.setdefault((one.ns_id, one.detector, key), one)
        self._hit: dict[UUID, bool] = {}

    def note(self, call: Call, found: Located) -> None:
        ns_id, detector = call.asked.ns_id, found.finding.detector
        for key in (UUID(bytes=found.hash), call.id):
            if (one := self._known.get((ns_id, detector, key))) is not None:
                self._hit[one.id] = one.false
                return

    def judged(self) -> Judged:
        return Judged(len(self._hit), sum(self._hit.values()))
