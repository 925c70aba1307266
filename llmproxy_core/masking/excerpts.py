"""Findings as they are written: with what stands around the evidence, and no secret in it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.records import Decision, Found, Judgement

AROUND = 80
"""Characters shown before and after the evidence."""
LONGEST = 160
"""Characters shown of the evidence."""
UNSAID: dict[str, str] = {
    "exfiltration": "Something that may carry data out.",
    "dangerous_tool": "A call of a tool that may do harm.",
    "unusual_use": "Something unusual.",
}
"""Where a sentence may name a host or a file, it is another one without excerpts."""
TOOL = 200
"""Characters of a tool's name."""
LEAST = 16
"""Those that can have a secret in them."""


def note(judged: Judged, judgement: Judgement, masker: Masker, keeper: Keeper | None) -> None:
    """Have what is new written with a call."""
    new = [one for one in judged.found if one.new]
    if new:
        excerpts = keeper is None or not keeper.skeleton
        judgement.found += as_written(new, masker, excerpts=excerpts)
    if judged.asked and not judgement.asked:
        judgement.asked = sorted(judged.asked)
    judgement.left += judged.left
    judgement.faults += judged.faults


def hide(judgement: Judgement, secrets: Sequence[Secret], masker: Masker) -> None:
    """Leave these out of what is written of findings, too."""
    judgement.found[:] = (_hidden(one, secrets, masker) for one in judgement.found)


def unsaid(decisions: Iterable[Decision]) -> list[Decision]:
    """Decisions without what is said of findings; what people said of a call that waited stays."""
    return [one if _is_peoples(one) else msgspec.structs.replace(one, why="") for one in decisions]


def _is_peoples(one: Decision) -> bool:
    return one.action == "allow_models" or (one.action == "hold" and one.outcome != "waiting")


def as_written(located: Iterable[Located], masker: Masker, *, excerpts: bool = True) -> list[Found]:
    """In the same order. Without `excerpts` nothing of the texts is there."""
    written: list[Found] = []
    for _, group in groupby(located, key=lambda one: one.hash):
        there = list(group)
        # whatever the detectors were asked for, and had the time for
        secrets = SECRETS.find(there[0].text) if excerpts else []
        secrets += [one.finding for one in there if one.finding.family == "secret"]
        for one in there:
            shown = _excerpt(one, secrets, masker) if excerpts else ("", 0, 0)
            said = one.finding.said if excerpts else UNSAID.get(one.finding.family)
            tool = _tool(one.text.tool, masker)
            written.append(_found(one, said or one.finding.said, tool, *shown))
    return written


def _hidden(found: Found, secrets: Sequence[Secret], masker: Masker) -> Found:
    text, start, end = found.excerpt, found.start, found.end
    evidence = text[start:end]
    of = next((one for one in secrets if evidence and one.value.startswith(evidence)), None)
    before, after = (_without(part, secrets, masker) for part in (text[:start], text[end:]))
    evidence = masker.mark(of) if of else _without(evidence, secrets, masker)
    excerpt, end = before + evidence + after, len(before) + len(evidence)
    return msgspec.structs.replace(found, excerpt=excerpt, start=len(before), end=end)


def _without(text: str, secrets: Sequence[Secret], masker: Masker) -> str:
    return masker.body(text.encode(), secrets).decode("utf-8", "replace")


def _tool(name: str, masker: Masker) -> str:
    """A model or a server may call it anything, a secret among it."""
    if len(name) >= LEAST:
        name = masker.text(name, SECRETS.find(Text(name)))
    return _plain(name[:TOOL])


def _found(located: Located, said: str, tool: str, excerpt: str, start: int, end: int) -> Found:
    one, text = located.finding, located.text
    return Found(
        detector=one.detector,
        family=one.family,
        score=one.score,
        severity=one.severity,
        said=said,
        author=text.author,
        kind=text.kind,
        tool=tool,
        text_hash=located.hash,
        excerpt=excerpt,
        start=start,
        end=end,
    )


def _excerpt(located: Located, secrets: Sequence[Finding], masker: Masker) -> tuple[str, int, int]:
    """The excerpt, and where in it the evidence begins and ends."""
    text, one = located.text.text, located.finding
    start, end = _around(secrets, one.start, min(one.end, one.start + LONGEST))
    first, last = _around(secrets, max(0, start - AROUND), min(len(text), end + AROUND))
    parts = []
    for begin, stop in ((first, start), (start, end), (end, last)):
        inside = [
            replace(secret, start=secret.start - begin, end=secret.end - begin)
            for secret in secrets
            if begin <= secret.start and secret.end <= stop
        ]
        parts.append(_plain(masker.text(text[begin:stop], inside)))
    before, evidence, after = parts
    return before + evidence + after, len(before), len(before) + len(evidence)


def _around(secrets: Sequence[Finding], start: int, end: int) -> tuple[int, int]:
    """The span, larger by the secrets that it would cut."""
    for secret in secrets:
        if secret.start < end and start < secret.end:
            start, end = min(start, secret.start), max(end, secret.end)
    return start, end


def _plain(text: str) -> str:
    """Fit for a record: no halves of characters, no zero that Postgres refuses."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\ufffd")
