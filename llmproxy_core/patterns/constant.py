"""What prompts of one group have in common: their wording, without what fills its slots.

Words count as wording where they stand in a run of three that most of the prompts have. The ends of
a prompt are words, too: so what all begin or end with is wording if it is only one word.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

SLOT = "§"
"""Stands in a wording for what varies."""
SAMPLE = 24
"""Prompts that are looked at, evenly spread over those given."""
SHARE = 0.7
"""Of the prompts, those that must have a run."""
HEAD = 2_000
TAIL = 2_000
"""Characters of either end of a prompt that are read."""
ALONE = 500
"""Characters of either end of a prompt that is alone in which its wording is looked for."""

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n|[^\w\s]")
"""Chinese, Japanese and Korean: each character is one."""
_NO_BLANK = re.compile(
    rf"(?<=\w) (?=[,.;:!?'\u2019)])|(?<=\w['\u2019]) (?=\w)|(?<=[(/-]) (?=\w)|(?<=\w) (?=[/-])"
    rf"|(?<=[{_UNSPACED}]) (?=[{_UNSPACED}])"
)
"""Blanks between words that a text does not have."""
RUN = 3
START, END = "\x02", "\x03"


def sample(texts: Sequence[str], most: int = SAMPLE) -> list[str]:
    """`most` of the texts at most, the same ones every time."""
    if len(texts) <= most:
        return list(texts)
    return [texts[n * len(texts) // most] for n in range(most)]


def ends(text: str, size: int) -> str:
    """The beginning and the end of a text, `size` characters of each, a slot between them."""
    text = text.strip()
    return text if len(text) <= 2 * size else f"{text[:size]} {SLOT} {text[-size:]}"


def wording(texts: Sequence[str]) -> str:
    """The words that the texts share, in lower case and in the order of the one that has most of them.

    Of one text both of its ends. Empty where nothing is shared.
    """
    texts = [text for text in sample(texts) if text.strip()]
    if len(texts) < 2:
        return "".join(ends(text, ALONE).lower() for text in texts)
    read = [_words(ends(text, HEAD)) for text in texts]
    shared = _shared(read)
    best = max(read, key=lambda words: (len(shared.intersection(_runs(words))), -len(words)))
    kept = [False] * len(best)
    for n, run in enumerate(_runs(best)):
        if run in shared:
            kept[n : n + RUN] = [True] * RUN
    return _joined(best, kept)


def _words(text: str) -> list[str]:
    return [START, START, *WORD.findall(text.lower()), END, END]


def _runs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(words, words[1:], words[2:], strict=False)


def _shared(read: Sequence[Sequence[str]]) -> set[tuple[str, ...]]:
    counted = Counter(run for words in read for run in set(_runs(words)))
    enough = max(2.0, SHARE * len(read))
    return {run for run, count in counted.items() if count >= enough}


def _joined(words: Sequence[str], kept: Sequence[bool]) -> str:
    """Runs of kept words with a slot for what lies between."""
    found: list[str] = []
    for word, keep in zip(words, kept, strict=True):
        if word in (START, END):
            continue
        if keep:
            found.append(word)
        elif not found or found[-1] != SLOT:
            found.append(SLOT)
    text = " ".join(found)
    text = re.sub(r" ?\n ?", "\n", text)
    return _NO_BLANK.sub("", text)
