"""The finding of one check."""

from dataclasses import dataclass
from typing import Literal

type State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """`what` is the finding, `todo` what to do about it (empty if nothing)."""

    name: str
    state: State
    what: str
    todo: str = ""
