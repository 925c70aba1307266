"""Can an edit be done on the wires of a pattern? The check that suggestions have to pass."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import Operation as Read
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.transformation import checked

OTHER = "other"
"""Wires that `checked` does not know by name."""


@dataclass(frozen=True, slots=True)
class _Everywhere:
    """The edit as a transformation for all requests."""

    logic: Sequence[Read]
    name: str = "enhancement"
    when: str = "true"
    order: int = 0
    active: bool = True


def check(operations: Sequence[Operation], wires: Collection[str]) -> str | None:
    """Why the operations cannot be done on all of these wires, or are none at all; None: they can.

    Takes 0.2 ms.
    """
    try:
        logic = read_operations(operations)
    except ConfigError as exc:
        return str(exc)
    found = checked(_Everywhere(logic))
    hindrances = (found.get(wire, found.get(OTHER, "")) for wire in sorted(wires))
    return next((why for why in hindrances if why), None)
