"""What is told: an event, whom it concerns, and its words in the format that a receiver wants."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

import msgspec

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.globs import any_of
from llmproxy_core.model import Json
from llmproxy_core.sections.webhooks import Event, WebhookConfig

TYPES: dict[Event, str] = {
    "anomaly": "anomaly.detected",
    "decision": "policy.decided",
    "approval": "approval.waiting",
}
SEVERITIES: tuple[Severity, ...] = get_args(Severity.__value__)
SIGNS = {"critical": ":rotating_light:", "high": ":warning:"}
SURE = 0.5
"""The score of a finding from which it counts; what is less is in the queue alone."""
LONGEST = 2000
"""Characters of a message to Slack."""
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True)
class Notice:
    """`said`: a sentence for people. `data`: the facts, no secret among them."""

    event: Event
    namespace: str
    at: datetime
    said: str
    severity: str = ""
    data: dict[str, Json] = field(default_factory=dict)


def wants(webhook: WebhookConfig, notice: Notice) -> bool:
    if notice.event not in webhook.events:
        return False
    if webhook.namespaces and not any_of(webhook.namespaces)(notice.namespace):
        return False
    if notice.event != "anomaly":
        return True
    score = notice.data.get("score")
    if isinstance(score, int | float) and score < SURE:
        return False
    return SEVERITIES.index(_severity(notice)) >= SEVERITIES.index(webhook.severity)


def body(webhook: WebhookConfig, notice: Notice) -> str:
    """JSON text, as it is sent: `{"type", "timestamp", "data"}`, or `{"text"}` for Slack."""
    if webhook.format == "slack":
        return _text({"text": _for_slack(notice)})
    data = {"namespace": notice.namespace, "said": notice.said, **notice.data}
    if notice.severity:
        data["severity"] = notice.severity
    return _text({"type": TYPES[notice.event], "timestamp": notice.at.isoformat(), "data": data})


def _severity(notice: Notice) -> Severity:
    return next((one for one in SEVERITIES if one == notice.severity), "low")


def _for_slack(notice: Notice) -> str:
    sign = SIGNS.get(notice.severity, "")
    severity = f" *{notice.severity}*" if notice.severity else ""
    head = f"{sign}{severity} {notice.namespace}: {_plain(notice.said)}".strip()
    lines = [head]
    if excerpt := notice.data.get("excerpt"):
        lines.append(f"```{_plain(str(excerpt)).replace('`', chr(0x2BC))}```")
    if call := notice.data.get("request_id"):
        lines.append(f"`llmproxy show {call}`")
    return "\n".join(lines)[:LONGEST]


def _plain(text: str) -> str:
    """Nothing in it is taken for a mention or a link."""
    return "".join(_SLACK.get(char, char) for char in text)


def _text(value: Json) -> str:
    return msgspec.json.encode(value).decode()
