"""Words by which the type of a prompt is told: `cues.txt`, read once and looked for in linear time."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

NAME = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Cue:
    type: str
    weight: float
    text: str
    """A regex of RE2."""


def read_cues() -> list[Cue]:
    """All cues of the file, with the parts that have a name put in."""
    found: list[Cue] = []
    named: dict[str, str] = {}
    for line in (files("llmproxy_core.patterns") / "cues.txt").read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("="):
            name, _, text = line[1:].partition(" ")
            named[name] = text
            continue
        type, weight, text = line.split(" ", 2)
        found.append(Cue(type, float(weight), NAME.sub(lambda name: named[name[1]], text)))
    return found


def points(text: str) -> dict[str, float]:
    """The weights of the cues found in a text in lower case, summed by type."""
    found: dict[str, float] = defaultdict(float)
    for cue, pattern in compiled():
        if pattern.search(text):
            found[cue.type] += cue.weight
    return found


@cache
def compiled() -> list[tuple[Cue, Any]]:
    """The cues with their patterns."""
    import re2  # only where a type is asked for

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 * 2**20
    return [(cue, re2.compile(cue.text, options=options)) for cue in read_cues()]
