"""What a change did, before and after, in words and for `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from llmproxy_core.cli import learnt_words
from llmproxy_core.enhancements.effect import effect
from llmproxy_core.experiments.experiment import CONTROL, HOLDOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmproxy_core.enhancements.effect import Effect
    from llmproxy_core.enhancements.enhancement import Aim
    from llmproxy_core.model import Json
    from llmproxy_core.store.experiments import StoredExperiment

type Effects = tuple[Effect | None, Effect | None]
"""In the experiment, and since the promotion."""


def effects(stored: StoredExperiment, aim: Aim) -> Effects:
    """Of the variant that won, else of the first."""
    one = stored.one
    name = one.promoted or one.variants[0].name
    share = one.shares[name] / (one.shares[name] + one.shares[CONTROL])
    within = effect(stored.tally.arm(CONTROL), stored.tally.arm(name), share, aim)
    if stored.probation is None:
        return within, None
    tally = stored.probation.tally
    return within, effect(tally.arm(HOLDOUT), tally.arm(name), 1 - one.holdout, aim)


def lines(stored: StoredExperiment, aim: Aim) -> Iterator[str]:
    within, since = effects(stored, aim)
    if within is not None:
        yield learnt_words.field("effect", _told(within))
    if since is not None:
        yield learnt_words.field("since promoted", _told(since))
    elif stored.one.status == "promoted":
        held_out = stored.one.holdout
        why = "not measured yet" if held_out else "not measured: nobody is held out"
        yield learnt_words.field("since promoted", why)


def told(stored: StoredExperiment, aim: Aim) -> dict[str, Json]:
    within, since = effects(stored, aim)
    return {
        "effect": asdict(within) if within else None,
        "effect_since": asdict(since) if since else None,
    }


def _told(one: Effect) -> str:
    if one.aim == "cost":
        values = f"a typical conversation cost {one.before:.4g} USD, and costs {one.after:.4g}"
    else:
        values = f"success {one.before:.1%} → {one.after:.1%}".replace("%", " %")
    sizes = f"{one.before_conversations:,} and {one.after_conversations:,} conversations"
    return f"{one.score:+.2f} (95 %: {one.low:+.2f} to {one.high:+.2f}); {values}, of {sizes}"
