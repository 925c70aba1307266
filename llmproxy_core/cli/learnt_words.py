"""What is learnt, in words: rates, templates, operations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmproxy_core.experiments.experiment import Experiment
    from llmproxy_core.store.experiments import StoredExperiment
    from llmproxy_core.success.rate import Rate

SLOT = "{…}"
BLOCKS = " ▁▂▃▄▅▆▇█"
LONGEST = 2000
"""Characters of a text."""


def rate(told: Rate) -> str:
    """`82 % (74-88)`: with its 95 % interval."""
    if told.rate is None:
        return figures.NONE
    low, high = told.interval
    return f"{told.rate:.0%} ({low * 100:.0f}-{high * 100:.0f})".replace("%", " %", 1)


def template(pieces: Sequence[str | None], most: int = LONGEST) -> str:
    """With a mark for each slot."""
    return plain.block("".join(SLOT if one is None else one for one in pieces)[:most])


def trend(numbers: Sequence[int]) -> str:
    """A bar for each, the highest as high as can be."""
    top = max(numbers, default=0)
    return "".join(BLOCKS[-(-number * 8 // top) if top else 0] for number in numbers)


def operations(logic: Iterable[Mapping[str, Any]]) -> str:
    """`clamp max_tokens, append_system`: for a column."""
    keys = ("parameter", "at", "name", "to")
    said = []
    for one in logic:
        about = next((str(one[key]) for key in keys if key in one), "")
        said.append(f"{one.get('op', '?')} {about}".strip())
    return plain.line(", ".join(said))


def exact(logic: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Each operation as JSON, in a line."""
    for one in logic:
        yield f"  {plain.line(json.dumps(dict(one), ensure_ascii=False), 10 * LONGEST)}"


def arms(one: StoredExperiment) -> str:
    """`control 70/100, short 84/100`: successes of the conversations that are judged."""
    return plain.line(
        ", ".join(
            f"{name} {one.tally.arm(name).good}/{one.tally.arm(name).judged}"
            for name in arm_names(one.one)
        )
    )


def arm_names(one: Experiment) -> list[str]:
    """The control first."""
    return sorted(one.shares, key=lambda name: name != "control")


def status(one: Experiment) -> str:
    return one.status.replace("_", " ")


def field(name: str, value: object) -> str:
    return f"{name:<14} {plain.line(str(value), LONGEST)}"
