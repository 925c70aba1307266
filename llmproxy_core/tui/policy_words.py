"""A policy, in words: what it applies to, what it does, how well it is proven."""

from datetime import datetime, tzinfo

from textual.content import Content

from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.guard import PolicyLine
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.policy_columns import ALLOWED, allowed, waits

DOES = {
    "allow": "lets pass what it applies to, whatever later policies say",
    "flag": "only tells what it applies to",
    "redact_store": "masks what was found in everything that is written",
    "redact_wire": "masks what was found on its way to the provider, and puts it back in the answer",
    "block": "refuses the call",
    "hold": "lets the call wait for a person",
    "throttle": "slows the calls down",
    "deny_tools": "takes tools out of the request",
    "allow_models": "refuses all other models",
}


def policy(one: PolicyLine, now: datetime, zone: tzinfo | None = None) -> Content:
    action = one.policy.action.replace("_", " ")
    lines = [
        Content.assemble((plain.line(one.name), "bold"), (f"  {_mode(one)}", "$warning")),
        Content.assemble((action, "$secondary"), f": {DOES.get(one.policy.action, '')}"),
        Content.assemble(("when  ", FAINT), plain.block(one.policy.expression)),
    ]
    lines += [
        Content.assemble((f"{plain.line(key)}  ", FAINT), plain.line(str(value)))
        for key, value in one.policy.settings.items()
        if value not in (None, "", [], False) and key != ALLOWED
    ]
    if one.bound is not None or "finding" in one.policy.expression:
        lines.append(_bound(one))
    lines += [Content.styled(_origin(one, now, zone), FAINT)]
    return Content("\n").join(lines)


def _mode(one: PolicyLine) -> str:
    if waits(one):
        return "in shadow until it is proven"
    return {"active": "active", "shadow": "shadow: only tells what it would do", "off": "off"}[
        one.policy.mode
    ]


def _bound(one: PolicyLine) -> Content:
    most = allowed(one)
    needed = "" if most is None else f"; enforced only below {most:.1%}"
    if one.bound is None:
        return Content.styled(
            f"false positives: not known, as nobody has settled its findings{needed}", FAINT
        )
    findings = f"{one.labelled:,} settled finding{'s' * (one.labelled != 1)}"
    return Content.assemble(
        ("false positives  ", FAINT),
        f"at most {one.bound:.1%}",
        (f" (95 %, from {findings}){needed}", FAINT),
    )


def _origin(one: PolicyLine, now: datetime, zone: tzinfo | None) -> str:
    if one.policy.origin == "mitm.toml":
        return f"of the mitm.toml of {plain.line(one.policy.home or 'a home')}: change it there"
    at = figures.moment(one.policy.updated_at, now, zone)
    return f"of the database, changed {at} by {plain.line(one.policy.updated_by)}"
