"""Attacks and harmless texts from the grammars, alone and planted in documents."""

import random
import re
from collections.abc import Callable, Sequence

from training.injection.corpus import Document
from training.injection.grammar import Grammar, grown, read_grammar

ATTACKS, PLANTED, HARMLESS, CARRIERS = 4000, 3000, 6000, 2000
"""How many texts of each kind are made."""
_LEET = str.maketrans("oieas", "01345")
_LENGTHS = (200, 400, 800, 1500)
_CUT = re.compile(r"\n|\. ")
_IN_DOCUMENTS = ("mline", "about", "agent", "everyday", "codey", "format", "sec")


def made(carriers: Sequence[str], seed: int) -> list[Document]:
    """The same for the same carriers (harmless documents) and seed."""
    dice = random.Random(seed)
    attacks, harmless = read_grammar("attacks"), read_grammar("benign")
    fresh = _fresh(dice)
    found = [
        Document(noisy(fresh(attacks, "attack"), dice), True, "made: attack", fold="made")
        for _ in range(ATTACKS)
    ]
    for _ in range(PLANTED):
        text = plant(dice.choice(carriers), noisy(fresh(attacks, "planted"), dice), dice)
        found.append(Document(text, True, "made: planted", fold="made"))
    for _ in range(HARMLESS):
        text = fresh(harmless, "benign")
        if dice.random() < 0.25:
            text += " " + grown(harmless, "benign", dice)
        text = noisy(text, dice) if dice.random() < 0.3 else text
        found.append(Document(text, False, "made: harmless", fold=-1))
    for _ in range(CARRIERS):
        text = grown(harmless, dice.choice(_IN_DOCUMENTS), dice)
        text = plant(dice.choice(carriers), text, dice)
        found.append(Document(text, False, "made: carrier", fold=-1))
    return found


def _fresh(dice: random.Random) -> Callable[[Grammar, str], str]:
    """Grows texts that were not grown before, as far as the grammar has any left."""
    known: set[str] = set()

    def fresh(grammar: Grammar, symbol: str) -> str:
        text = grown(grammar, symbol, dice)
        for _ in range(20):
            if text not in known:
                break
            text = grown(grammar, symbol, dice)
        known.add(text)
        return text

    return fresh


def noisy(text: str, dice: random.Random) -> str:
    """Most texts as they are; some in capitals, leet, spaced out, or with slips of the hand."""
    chance = dice.random()
    if chance < 0.06:
        return text.upper()
    if chance < 0.12:
        return text.lower()
    if chance < 0.16:
        return "".join(c.translate(_LEET) if dice.random() < 0.5 else c for c in text)
    if chance < 0.19:
        return " ".join(text)
    if chance < 0.26:
        return _slipped(text, dice)
    return text


def _slipped(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 25)):
        at = dice.randrange(len(letters))
        if letters[at].isalpha():
            letters[at] = dice.choice(
                ("", letters[at] * 2, dice.choice("abcdefghijklmnopqrstuvwxyz"))
            )
    return "".join(letters)


def plant(carrier: str, text: str, dice: random.Random) -> str:
    """The text somewhere in a piece of the carrier, most often at the end."""
    length = dice.choice(_LENGTHS)
    if len(carrier) > length:
        start = dice.randrange(len(carrier) - length)
        carrier = carrier[start : start + length]
    cuts = [0, len(carrier), *(match.end() for match in _CUT.finditer(carrier))]
    at = dice.choice(cuts) if dice.random() < 0.6 else len(carrier)
    gap = dice.choice(("\n", " ", "\n\n", ""))
    return carrier[:at] + gap + text + gap + carrier[at:]
