"""Which values a variable must have for an expression to hold, where that is told at a glance: in an
expression of parts that are joined by `and` only, one of which says so."""

from collections.abc import Iterator, Sequence

from llmproxy_core.expressions.tokens import Token, tokens

ELSE = frozenset({"||", "!", "not", "true", "false", "null"})
"""With these in it, a part that does not hold may still lead to an expression that does."""
BEFORE = frozenset({"&&", "("})
AFTER = frozenset({"&&", ")", ""})


def pinned(text: str, variable: str) -> frozenset[str] | None:
    """`text`: an expression that can be compiled. None: it may hold with any value."""
    found = tokens(text)
    if any(one.kind != "text" and one.said in ELSE for one in found):
        return None
    values: frozenset[str] | None = None
    for said in _said(found, variable.split(".")):
        values = said if values is None else values & said
    return values


def _said(found: Sequence[Token], parts: Sequence[str]) -> Iterator[frozenset[str]]:
    path = [word for part in parts for word in (part, ".")][:-1]
    words = [one.said if one.kind != "text" else "" for one in found]
    for at in range(len(words)):
        if words[at : at + len(path)] != path or (at and words[at - 1] not in BEFORE):
            continue
        end, sign = at + len(path) + 1, words[at + len(path)]
        if sign == "==" and found[end].kind == "text" and words[end + 1] in AFTER:
            yield frozenset({found[end].said})
        elif sign == "in" and words[end] == "[" and "]" in words[end:]:
            close = words.index("]", end)
            if words[close + 1] in AFTER:
                yield frozenset(one.said for one in found[end:close] if one.kind == "text")
