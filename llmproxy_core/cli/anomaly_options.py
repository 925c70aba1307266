"""Which anomalies are meant: the options of `llmproxy anomalies`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.since import moment

if TYPE_CHECKING:
    from llmproxy_core.store.anomalies import Queue
    from llmproxy_core.store.guard_rows import Status


class StatusOption(StrEnum):
    open = "open"
    detected = "detected"
    acknowledged = "acknowledged"
    resolved = "resolved"
    false_positive = "false_positive"
    all = "all"


class SeverityOption(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class FamilyOption(StrEnum):
    secret = "secret"  # noqa: S105  the name of a family
    pii = "pii"
    injection = "injection"
    indirect_injection = "indirect_injection"
    jailbreak = "jailbreak"
    exfiltration = "exfiltration"
    hidden_text = "hidden_text"
    dangerous_tool = "dangerous_tool"
    unusual_use = "unusual_use"


FAMILIES = ", ".join(FamilyOption)
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Whole, or so much of the end or start as is unique."),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it, for the audit.")]
StatusIs = Annotated[StatusOption, typer.Option("--status", help="open: nobody has settled it.")]
Severity = Annotated[
    SeverityOption, typer.Option("--severity", help="This one, and those that are worse.")
]
Family = Annotated[
    list[FamilyOption] | None,
    typer.Option("--family", metavar="FAMILY", help=f"May be given several times: {FAMILIES}."),
]
Space = Annotated[str | None, typer.Option("--ns", metavar="NAME", help="Of one namespace.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help="24h, 7d, 2w, or a date: 2026-05-17.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


def queue(
    status: StatusOption,
    severity: SeverityOption,
    family: list[FamilyOption] | None,
    namespace: str | None,
    since: str | None,
) -> Queue:
    from llmproxy_core.store.anomalies import Queue
    from llmproxy_core.store.guard_rows import OPEN, SEVERITIES, STATUSES

    several: dict[StatusOption, tuple[Status, ...]] = {
        StatusOption.open: OPEN,
        StatusOption.all: STATUSES,
    }
    chosen = several.get(status) or tuple(one for one in STATUSES if one == status.value)
    worse = SEVERITIES[[str(one) for one in SEVERITIES].index(severity.value) :]
    begin = moment(since, datetime.now(UTC)) if since else None
    return Queue(chosen, worse, [one.value for one in family or ()], namespace, begin)
