"""The words of a template, and a name made of them."""

from collections.abc import Collection, Sequence

from llmproxy_core.patterns.shape import BEGIN, END, TOKEN, shape, shortened
from llmproxy_core.patterns.templates import Runs, starts

LONGEST = 60
"""Characters of a name."""
WORDS = 8
SIGNS = 20
"""Characters of a name without words."""
LOOKED_AT = 2_000
"""Characters of an example of which a name is made."""
_AROUND = "".join(sorted(set(" .?!:;,-=#*\"'`[](){}<>|。?")))


def pieces(runs: Runs, text: str) -> list[str | None]:
    """The constant texts of a template, as this prompt spells them, and None for each slot."""
    read = shortened(text).strip()
    spans = [found.span() for found in TOKEN.finditer(read)]
    found = starts(runs, shape(text))
    if found is None:
        return [None]
    out: list[str | None] = []
    end = len(BEGIN)
    for run, start in zip(runs, found, strict=True):
        if start > end or (out and out[-1] is not None):
            out.append(None)
        first = max(start, end) - len(BEGIN)
        end = start + len(run)
        last = min(end - len(BEGIN), len(spans))
        if first < last:
            out.append(read[spans[first][0] : spans[last - 1][1]])
    if runs[-1][-1] != END[-1] and (not out or out[-1] is not None):
        out.append(None)
    return out


def wording(runs: Runs, texts: Sequence[str]) -> list[str | None]:
    """The pieces as the first of these prompts spells them, with None for numbers that differ."""
    first, *others = [pieces(runs, text) for text in texts]
    rows = [[piece for piece in other if piece is not None] for other in others]
    out: list[str | None] = []
    at = 0
    for piece in first:
        if piece is None:
            out.append(None)
        else:
            out += _parted(piece, [row[at] for row in rows if at < len(row)])
            at += 1
    return [piece for n, piece in enumerate(out) if piece is not None or n == 0 or out[n - 1]]


def _parted(piece: str, others: Sequence[str]) -> list[str | None]:
    """A piece, cut at its numbers that are others in the same piece of other prompts."""
    numbers = [found for found in TOKEN.finditer(piece) if found[0].isdecimal()]
    if not numbers:
        return [piece]
    rows = [[token for token in TOKEN.findall(other) if token.isdecimal()] for other in others]
    out: list[str | None] = []
    end = 0
    for n, found in enumerate(numbers):
        if all(n >= len(row) or row[n] == found[0] for row in rows):
            continue
        if before := piece[end : found.start()].strip(" "):
            out.append(before)
        out.append(None)
        end = found.end()
    if rest := piece[end:].strip(" ") if end else piece:
        out.append(rest)
    return out


def named(
    template: Sequence[str | None], taken: Collection[str], examples: Sequence[str] = ()
) -> str:
    """A short name of the wording, other than those taken.

    Of an example, if the wording has no words: "such as …"; of signs alone, the signs.
    """
    told = [piece for piece in template if piece is not None]
    name = _name(told) or _such_as(examples) or _signs(told) or _signs(examples) or EMPTY
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


EMPTY = "empty prompt"
"""What also has the signs that cannot be seen."""


def _such_as(examples: Sequence[str]) -> str:
    name = next(filter(None, (_name([text[:LOOKED_AT]]) for text in examples)), "")
    return name and f"such as: {name}"


def _signs(texts: Sequence[str]) -> str:
    """The first signs that can be seen."""
    seen = (char for text in texts for char in text[:LOOKED_AT] if char.isprintable())
    return "".join(seen).strip()[:SIGNS]


def _name(wording: Sequence[str]) -> str:
    """The sentence with most words; of equal ones the first. Empty, if there are no words."""
    sentences = [part for piece in wording for part in _sentences(piece)]
    best = max(sentences, key=lambda words: min(len(words), WORDS), default=[])
    name = " ".join(best[:WORDS])
    return name[:LONGEST].strip(" ,;:-\"'`")


def _sentences(piece: str) -> list[list[str]]:
    """Lines and sentences, as words that can be seen."""
    text = "".join(char for char in piece if char.isprintable() or char.isspace())
    for end in ("? ", ". ", "! ", ": ", "。", "?"):
        text = text.replace(end, end + "\n")
    lines = (line.strip(_AROUND) for line in text.splitlines())
    return [line.split() for line in lines if any(char.isalpha() for char in line)]
