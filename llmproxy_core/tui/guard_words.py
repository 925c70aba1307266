"""Findings, decisions of policies and waiting calls, in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from llmproxy_core import plural
from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.store.guard_rows import OPEN, SEVERITIES, Anomaly, PolicyDecision, Status
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.evidence import highlighted
from llmproxy_core.tui.widgets.columns import Tone

TONES: dict[str, Tone] = {"critical": "bad", "high": "warn", "medium": "accent", "low": "dim"}
STYLES = {
    "critical": "bold $error",
    "high": "bold $warning",
    "medium": "$accent",
    "low": "$foreground 70%",
}
STATUSES: dict[Status, str] = {
    "detected": "new",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "false_positive": "false positive",
}
KINDS = {
    "text": "a text",
    "reasoning": "reasoning",
    "arguments": "arguments",
    "result": "a result",
    "document": "a document",
}
SHADOW = {
    "block": "would have been blocked",
    "hold": "would have waited",
    "redact_store": "would have been masked in the store",
    "redact_wire": "would have been masked at the provider",
    "throttle": "would have been throttled",
    "deny_tools": "tools would have been taken out",
    "allow_models": "model would have been refused",
    "flag": "would have been flagged",
    "allow": "would have been allowed",
}
FAINT = "$foreground 50%"
SETTLED: tuple[Status, ...] = ("acknowledged", "resolved", "false_positive")

type Counts = dict[tuple[Status, Severity], int]


def family(name: str) -> str:
    return plain.line(name).replace("_", " ")


def where(anomaly: Anomaly) -> str:
    """Who wrote the text that it is in: `a result of WebFetch`, `a text of the user`."""
    kind = KINDS.get(anomaly.kind, plain.line(anomaly.kind))
    if anomaly.kind == "arguments" and anomaly.tool:
        return f"{kind} for {plain.line(anomaly.tool)}"
    if anomaly.tool:
        return f"{kind} of {plain.line(anomaly.tool)}"
    author = plain.line(anomaly.author)
    return f"{kind} of the {author}" if author else kind


def finding(anomaly: Anomaly, now: datetime, zone: tzinfo | None = None) -> Content:
    """All about a finding: what it is, where it stands, its evidence, what became of it."""
    severity = plain.line(anomaly.severity)
    side = "in the answer" if anomaly.side == "response" else "in the request"
    seen = f"seen {figures.moment(anomaly.at, now, zone)}"
    if anomaly.times > 1:
        last = figures.moment(anomaly.last_at, now, zone)
        seen = f"seen {plural.counted(anomaly.times, 'time')}, {figures.moment(anomaly.at, now, zone)} to {last}"
    lines = [
        Content.assemble(
            (severity, STYLES.get(severity, "bold")),
            (f"  {family(anomaly.family)}", "bold"),
            (f"  {plain.line(anomaly.detector)}  score {anomaly.score:.2f}", FAINT),
        ),
        Content(plain.line(anomaly.said)),
        Content.styled(f"{where(anomaly)}, {side}; {seen}", FAINT),
    ]
    if anomaly.status != "detected":
        lines.append(_status(anomaly, now, zone))
    lines += [Content(""), evidence(anomaly)]
    return Content("\n").join(lines)


def evidence(anomaly: Anomaly) -> Content:
    if not anomaly.excerpt:
        return Content.styled("no excerpt is kept of this call", FAINT)
    return highlighted(anomaly.excerpt, anomaly.mark_start, anomaly.mark_end)


def _status(anomaly: Anomaly, now: datetime, zone: tzinfo | None) -> Content:
    said = STATUSES[anomaly.status]
    by = f" by {plain.line(anomaly.status_by)}" if anomaly.status_by else ""
    at = f", {figures.moment(anomaly.status_at, now, zone)}" if anomaly.status_at else ""
    why = f": {plain.line(anomaly.status_why)}" if anomaly.status_why else ""
    return Content.styled(f"{said}{by}{at}{why}", "$success")


OUTCOMES = {
    ("deny_tools", "denied"): "tools taken out",
    ("redact_store", "redacted"): "masked in the store",
    ("redact_wire", "redacted"): "masked at the provider",
    ("hold", "gone"): "the program hung up",
    ("hold", "expired"): "nobody decided in time",
}


def outcome(one: PolicyDecision) -> str:
    """What became of it, in a few words."""
    known = OUTCOMES.get((one.action, one.outcome))
    return known or plain.line(one.outcome or one.action).replace("_", " ")


def decision(one: PolicyDecision) -> Content:
    """`no-secrets blocked it: an AWS access key`"""
    name, why = plain.line(one.policy), plain.line(one.why)
    if one.mode == "shadow":
        done, style = SHADOW.get(one.action, f"would have done {plain.line(one.action)}"), FAINT
        said = Content.assemble((name, "bold"), (" (shadow): ", FAINT), (done, ""))
    else:
        style = "$success" if one.action in ("allow", "flag") else "$warning"
        done = outcome(one)
        said = Content.assemble((name, "bold"), ": ", (done, style))
    return Content.assemble(said, (f"  {why}" if why else "", FAINT))


ENDS = frozenset({"approved", "denied", "expired", "gone"})


def final(decisions: Iterable[PolicyDecision]) -> list[PolicyDecision]:
    """Without those that came to another end: a call that waited was approved, or was not."""
    told = list(decisions)
    ended = {one.policy for one in told if one.action == "hold" and one.outcome in ENDS}
    return [one for one in told if one.outcome != "waiting" or one.policy not in ended]


def report(
    anomalies: Iterable[Anomaly],
    decisions: Iterable[PolicyDecision],
    masked: str,
    now: datetime,
    zone: tzinfo | None = None,
) -> Content:
    """All that was found in a call, and what came of it. `masked`: what is not written of it."""
    parts: list[Content] = []
    if told := [decision(one) for one in final(decisions)]:
        parts.append(Content("\n").join([Content.styled("Policies", "bold $primary"), *told]))
    if masked:
        parts.append(Content.assemble(("Masked", "bold $primary"), "\n", (plain.line(masked), "")))
    found = [finding(one, now, zone) for one in anomalies]
    if found:
        title = f"{len(found)} finding{'s' * (len(found) != 1)}"
        parts.append(Content.styled(title, "bold $primary"))
    return Content("\n\n").join([*parts, *found]) if parts else Content.styled(NOTHING, FAINT)


def summary(found: Sequence[Anomaly], decided: Sequence[PolicyDecision]) -> list[Content]:
    """A line for the head of a call: how much was found, and what policies did; none: nothing."""
    told: list[Content] = []
    if found:
        worst = max((one.severity for one in found), key=SEVERITIES.index)
        families = ", ".join(dict.fromkeys(family(one.family) for one in found))
        many = f"{len(found)} finding{'s' * (len(found) != 1)}: {families}"
        told.append(Content.assemble(("▲ ", STYLES[worst]), (many, STYLES[worst])))
    told += [decision(one) for one in final(decided) if one.mode != "shadow"]
    if not told:
        return []
    return [Content(" ") + Content("  ").join(told) + Content.styled("  (7 shows them)", FAINT)]


NOTHING = "Nothing was found in this call, and no policy applied to it."


def masked(request: int, answer: int) -> str:
    """How many values marks stand for in what is stored of a call; empty: none."""
    counts = ((request, "the request"), (answer, "the answer"))
    places = [f"{many:,} in {side}" for many, side in counts if many]
    return f"{' and '.join(places)}: only their marks are stored" if places else ""


def counted(counts: Counts) -> Content:
    """`2 critical  5 high │ 1 acknowledged  14 resolved  3 false positives`"""
    severe = [
        Content.styled(f"{many:,} {name}", STYLES[name])
        for name in reversed(SEVERITIES)
        if (many := sum(counts.get((status, name), 0) for status in OPEN))
    ]
    rest = [
        Content.styled(f"{many:,} {STATUSES[status]}", "$foreground 60%")
        for status in SETTLED
        if (many := sum(counts.get((status, name), 0) for name in SEVERITIES))
    ]
    first = Content("  ").join(severe) if severe else Content.styled("none open", "$success")
    parts = [first, *([Content("  ").join(rest)] if rest else [])]
    return Content(" ") + Content.styled(" │ ", "$foreground 30%").join(parts)
