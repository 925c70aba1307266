"""Texts made from the grammars beside this file: the same seed makes the same texts."""

import random
import re
from pathlib import Path

type Grammar = dict[str, list[str]]

_SLOT = re.compile(r"\{(\w+)\}")
_DEEPEST = 12


def read_grammar(name: str) -> Grammar:
    """The alternatives of each symbol of `NAME.txt`."""
    found: Grammar = {}
    path = Path(__file__).with_name(f"{name}.txt")
    for line in path.read_text("utf-8").splitlines():
        symbol, colon, words = line.partition(": ")
        if colon and not line.startswith("#"):
            found[symbol] = [one.strip().replace("\\n", "\n") for one in words.split(" | ")]
    return found


def grown(grammar: Grammar, symbol: str, dice: random.Random, depth: int = 0) -> str:
    """A text of `symbol`, its slots filled at random."""
    chosen = dice.choice(grammar[symbol])
    if depth > _DEEPEST:
        return _SLOT.sub("", chosen)

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        return grown(grammar, name, dice, depth + 1) if name in grammar else match.group(0)

    return _SLOT.sub(fill, chosen).strip()
