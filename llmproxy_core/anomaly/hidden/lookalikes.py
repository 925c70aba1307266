"""Letters of one script that look like those of another, in the middle of a word."""

import re
import unicodedata
from collections.abc import Iterator

from llmproxy_core.anomaly.hidden.revealed import Revealed

PAIRS = (
    "\u0430a \u0435e \u043eo \u0440p \u0441c \u0443y \u0445x \u0456i \u0458j \u0455s "
    "\u04bbh \u0501d \u051bq \u051dw \u0432b \u043ak \u043cm \u043dh \u0442t \u0433r "
    "\u043fn \u0410A \u0412B \u0415E \u041aK \u041cM \u041dH \u041eO \u0420P \u0421C "
    "\u0422T \u0425X \u0423Y \u0406I \u0408J \u0405S \u04aeY \u04c0l \u04cfl \u03bfo "
    "\u03b1a \u03bdv \u03c1p \u03c4t \u03c5u \u03b9i \u03bak \u03c7x \u0391A \u0392B "
    "\u0395E \u0396Z \u0397H \u0399I \u039aK \u039cM \u039dN \u039fO \u03a1P \u03a4T "
    "\u03a5Y \u03a7X \u0578n \u057du \u0585o \u0261g \u0251a \u1d0fo \u0269i \u13aaa "
    "\u13c0G "
)
"""A letter, and the Latin one that looks like it."""
SAME = {ord(pair[0]): pair[1] for pair in PAIRS.split()}
_FOREIGN = r"\u0370-\u058f\u13a0-\u13ff\u0251\u0261\u0269\u1d0f\u2c80-\u2cff"
_DRAWN = r"\uff21-\uff3a\uff41-\uff5a\u24b6-\u24e9\U0001d400-\U0001d7ff\U0001f130-\U0001f189"
LOOKALIKE = re.compile(f"[{_FOREIGN}{_DRAWN}]")
"""In every text in which something may be found."""
FOREIGN = re.compile(f"[{_FOREIGN}]")
WORD = re.compile(r"[A-Za-z\u00c0-\u058f\u13a0-\u13ff\u1d0f\u2c80-\u2cff]{3,}")
LATIN = re.compile(r"[A-Za-z]")
STYLED = re.compile(rf"(?:[{_DRAWN}][ \u3000]?){{8,}}")
MOST = 20_000


def found(text: str) -> Iterator[Revealed]:
    if FOREIGN.search(text):
        yield from _mixed(text)
    for styled in STYLED.finditer(text):
        said = unicodedata.normalize("NFKC", styled[0])
        yield Revealed(
            said,
            styled.start(),
            styled.end(),
            "text in letters that are drawings",
            0.25,
            "low",
            0.5,
        )


def _mixed(text: str) -> Iterator[Revealed]:
    """Words of Latin letters and of others that look just like Latin ones."""
    words, pure = [], 0
    for n, word in enumerate(WORD.finditer(text)):
        if n > MOST:
            break
        foreign = FOREIGN.findall(word[0])
        if not foreign:
            continue
        if not LATIN.search(word[0]):
            pure += 1
        elif all(ord(sign) in SAME for sign in foreign) and len(word[0]) >= 4:
            words.append(word)
    if words:
        score = 0.3 if pure >= 3 else 0.8 if len(words) >= 3 else 0.6
        start, end = words[0].start(), words[-1].end()
        said = text[max(0, start - 2000) : start + 8000].translate(SAME)
        yield Revealed(
            said,
            start,
            end,
            "words with letters of two alphabets that look the same",
            score,
            "medium",
            0.3,
        )
