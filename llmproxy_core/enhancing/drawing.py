"""In which experiments a conversation begins, and what its arms change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.enhancing.call import Call, Place
from llmproxy_core.enhancing.improving import Improving
from llmproxy_core.enhancing.recognised import Patterns
from llmproxy_core.enhancing.trials import HELD_OUT, Trial
from llmproxy_core.experiments.experiment import CONTROL
from llmproxy_core.transformations.transformation import Transformation


@dataclass(slots=True)
class Drawn:
    """The arms of a conversation, the rules that are theirs, and what else is changed in it."""

    arms: list[tuple[str, str]] = field(default_factory=list)
    rules: list[Transformation] = field(default_factory=list)
    changes: list[Transformation] = field(default_factory=list)


def begins(
    one: Trial,
    improving: Improving,
    call: Call,
    patterns: Patterns,
    told: Sequence[Mapping[str, Any]],
) -> bool:
    """Does a conversation begin in an experiment, with this request? What has become a rule is asked
    as that: people may have changed it since."""
    if not one.rule:
        return one.matches(patterns, improving.known(call.namespace).now, told)
    rule = improving.winners.get(one.rule)
    return rule is not None and rule.fits(call.wire) and any(map(rule.holds, told))


def drawn(
    trials: Collection[Trial], place: Place, winners: Mapping[str, Transformation], wire: str
) -> Drawn:
    made, conversation = Drawn(), place.conversation
    for one in trials if conversation is not None and conversation.experiments else ():
        found = one.arm(conversation) if conversation is not None else None
        if found is None:
            continue
        made.arms.append((one.id, found))
        if found in (CONTROL, HELD_OUT):
            continue
        if one.is_rule(found):
            rule = winners.get(one.rule)
            made.rules += [rule] if rule is not None and rule.fits(wire) else []
        elif (change := one.variants.get(found)) is not None and change.fits(wire):
            made.changes.append(change)
    instant = place.instant.change if place.instant is not None else None
    if instant is not None and instant.fits(wire):
        made.changes.append(instant)
    return made
