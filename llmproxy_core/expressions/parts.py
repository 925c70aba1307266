"""The parts of an expression that must all hold: those that `and` joins at its outermost level."""

from collections.abc import Iterator, Sequence

from llmproxy_core.expressions.tokens import Token, tokens

OPENING, CLOSING = frozenset("(["), frozenset(")]")


def parts(text: str) -> list[str]:
    """`text`: an expression that can be compiled. Itself alone where `or` joins its parts."""
    found = tokens(text)
    last = len(found) - 1  # says that it ends
    return [text[found[a].start : found[b].start].rstrip() for a, b in _parts(found, 0, last)]


def _parts(found: Sequence[Token], start: int, end: int) -> Iterator[tuple[int, int]]:
    while _is_in_parentheses(found, start, end):
        start, end = start + 1, end - 1
    joins = [at for at in _outermost(found, start, end) if found[at].said in ("&&", "||")]
    if not joins or any(found[at].said == "||" for at in joins):
        yield start, end
        return
    for a, b in zip([start, *(at + 1 for at in joins)], [*joins, end], strict=True):
        yield from _parts(found, a, b)


def _outermost(found: Sequence[Token], start: int, end: int) -> Iterator[int]:
    """Where signs stand that are in no parentheses or brackets, those themselves included."""
    depth = 0
    for at in range(start, end):
        if found[at].kind == "sign":
            depth -= found[at].said in CLOSING
            if depth == 0:
                yield at
            depth += found[at].said in OPENING


def _is_in_parentheses(found: Sequence[Token], start: int, end: int) -> bool:
    """Do the first and the last sign belong together?"""
    if found[start].kind != "sign" or found[start].said != "(":
        return False
    closed = next(at for at in _outermost(found, start, end) if found[at].said in CLOSING)
    return closed == end - 1
