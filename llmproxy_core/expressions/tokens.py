"""The signs and words of an expression, each with its column."""

import re
from dataclasses import dataclass
from typing import Literal

from llmproxy_core.errors import ExpressionError

LONGEST = 4096
"""Characters of an expression."""
MOST = 1000
"""Signs and words of an expression."""
DIGITS = 18
QUOTED = re.compile(r"""[^"'\\\n]*+""")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
WORDS = {"and": "&&", "or": "||", "not": "not", "in": "in"}
SIGN = re.compile(r"&&|\|\||[=!<>]=|[!<>()\[\],.+\-*/%]")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
NUMBER = re.compile(r"[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]{1,2}+)?(?![A-Za-z_0-9])")
BLANK = re.compile(r"\s*+")

type TokenKind = Literal["sign", "name", "text", "number", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """`said`: as written, quotes left out; `start` is a position in the expression, from 0."""

    kind: TokenKind
    said: str
    start: int


def tokens(text: str) -> list[Token]:
    """Ends with one of kind `end`. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression may have {LONGEST} characters; this has {len(text)}")
    found: list[Token] = []
    at = _after_blank(text, 0)
    while at < len(text):
        after_point = bool(found) and found[-1].said == "." and found[-1].kind == "sign"
        token, at = _token(text, at, after_point)
        found.append(token)
        at = _after_blank(text, at)
    if len(found) > MOST:
        raise ExpressionError(f"an expression may have {MOST} words and signs, not {len(found)}")
    return [*found, Token("end", "", len(text))]


def wrong(text: str, at: int, said: str) -> ExpressionError:
    """The error for `said`, with the expression and a mark under the column."""
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].partition("\n")[0]
    column = at - line_start
    first = max(0, column - 60)
    shown, mark = line[first : column + 40], " " * (column - first) + "^"
    place = f"line {text.count(chr(10), 0, at) + 1}, " if "\n" in text else ""
    return ExpressionError(f"{place}column {column + 1}: {said}\n  {shown}\n  {mark}")


def _after_blank(text: str, at: int) -> int:
    blank = BLANK.match(text, at)
    return blank.end() if blank else at


def _token(text: str, at: int, after_point: bool) -> tuple[Token, int]:
    if text[at] in "\"'":
        return _quoted(text, at)
    if number := NUMBER.match(text, at):
        if len(number[0]) > DIGITS:
            raise wrong(text, at, f"a number may have {DIGITS} digits")
        return Token("number", number[0], at), number.end()
    if name := NAME.match(text, at):
        word = name[0]
        sign = None if after_point else WORDS.get(word)
        return Token("sign" if sign else "name", sign or word, at), name.end()
    if sign_found := SIGN.match(text, at):
        return Token("sign", sign_found[0], at), sign_found.end()
    if text[at] == "=":
        raise wrong(text, at, "write == to compare")
    if text[at] in "&|":
        raise wrong(
            text, at, f"write {text[at] * 2}, or the word {'and' if text[at] == '&' else 'or'}"
        )
    raise wrong(text, at, f"{text[at]!r} has no meaning here")


def _quoted(text: str, start: int) -> tuple[Token, int]:
    quote, at = text[start], start + 1
    parts: list[str] = []
    while plain := QUOTED.match(text, at):
        parts.append(plain[0])
        at = plain.end()
        if at >= len(text) or text[at] == "\n":
            break
        if text[at] == quote:
            return Token("text", "".join(parts), start), at + 1
        if text[at] == "\\":
            parts.append(_escaped(text, at))
            at += 2
        else:
            parts.append(text[at])
            at += 1
    raise wrong(text, start, f"the text has no closing {quote}")


def _escaped(text: str, at: int) -> str:
    sign = text[at + 1 : at + 2]
    if sign not in ESCAPES or not sign:
        raise wrong(text, at, r"after \ comes one of n t r \ " + "\" '; write \\\\ for a \\")
    return ESCAPES[sign]
