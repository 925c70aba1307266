"""What the advisor is shown of calls: few of them, masked, and then cut."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from llmproxy_core.enhancements.evidence import Evidence, Exemplar

FAILURES, SUCCESSES = 4, 2
"""Exemplars that are shown."""
SYSTEM, USER, ANSWER = 6000, 2500, 1500
"""Characters of each text; of longer ones the beginning and the end are shown."""
WHYS, WHY = 8, 300
"""Signals of a call, and characters of each."""

type Mask = Callable[[str], str | None]
"""None: the text could not be masked, and must not be sent."""


def excerpted(evidence: Evidence, mask: Mask) -> Evidence | None:
    """With the exemplars that are shown, as they are shown. Texts are masked before they are cut,
    since half a secret is not found. None: one could not be masked."""
    kept = list[Exemplar]()
    for one in shown(evidence.exemplars):
        texts = [mask(text) for text in (one.system, one.user, one.answer, *one.why.values())]
        if any(text is None for text in texts):
            return None
        system, user, answer, *whys = (text or "" for text in texts)
        told = {name: why[:WHY] for name, why in zip(one.why, whys, strict=True)}
        kept.append(
            Exemplar(
                one.id,
                cut(system, SYSTEM),
                cut(user, USER),
                cut(answer, ANSWER),
                dict(sorted(told.items())[:WHYS]),
            )
        )
    return replace(evidence, exemplars=tuple(kept))


def shown(exemplars: Sequence[Exemplar]) -> list[Exemplar]:
    """Failures of as many sorts as there are, the frequent ones first, and some that went well."""
    sorts = dict[str, list[Exemplar]]()
    for one in exemplars:
        if one.why:
            sorts.setdefault(min(one.why), []).append(one)
    queues = sorted(sorts.values(), key=lambda one: -len(one))
    depth = max(map(len, queues), default=0)
    failures = [queue[at] for at in range(depth) for queue in queues if at < len(queue)]
    return failures[:FAILURES] + [one for one in exemplars if not one.why][:SUCCESSES]


def cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 4
    head = most - tail
    return f"{text[:head]}\n[{len(text) - most} characters left out]\n{text[-tail:]}"
