"""A text as a string with one character a token, so that runs of tokens are found by `str.find`.

Words become characters from U+10000 on (by a checksum, so that no vocabulary needs to be kept: of
10,000 words some fifty share theirs with another); numbers are all the same; punctuation, newlines
and Chinese, Japanese or Korean characters stay themselves; blanks are nothing. Of long texts the
middle is left out.
"""

import re
from zlib import crc32

BEGIN, END = "\x01\x01", "\x02\x02"
"""Two characters each, so that one word at either end makes a run of three."""
CUT = "\x03"
"""Stands for what was left out."""
EDGE = 8_000
"""Characters of either end of a text that are read."""
NUMBER = "0"
BLANK_LINE = "\x0b"

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
TOKEN = re.compile(rf"(?:\r?\n)+|[{_UNSPACED}]|\d+|[^\W\d_{_UNSPACED}]+|_+|[^\w\s]")
_LONGEST = 40
_SPAN = 0x110000 - 0x10000
_KEPT = 100_000


def shape(text: str) -> str:
    """The text between BEGIN and END, white space around it not counted."""
    return f"{BEGIN}{codes(shortened(text).strip())}{END}"


def shortened(text: str) -> str:
    """What is read of a text: with CUT for the middle of a long one. Has the same shape."""
    if len(text) <= 2 * EDGE + 1:
        return text
    return f"{text[:EDGE]}{CUT}{text[-EDGE:]}"


def codes(text: str) -> str:
    """The characters of the text's tokens."""
    return "".join(map(_known.__getitem__, text.split(" ")))  # no token has a blank


class _Known(dict[str, str]):
    """The characters of what is between two blanks: one token or several."""

    def __missing__(self, part: str) -> str:
        found = "".join(map(_code, TOKEN.findall(part)))
        if len(part) <= _LONGEST:
            if len(self) > _KEPT:
                self.clear()
            self[part] = found
        return found


_known = _Known()


def _code(token: str) -> str:
    first = token[0]
    if first in "\r\n":
        return BLANK_LINE if token.count("\n") > 1 else "\n"
    if token == CUT:
        return CUT
    if token.isdecimal():
        return NUMBER
    if len(token) == 1 and "\x20" < first < "\ud800" and not _spelled(first):
        return first
    return chr(0x10000 + crc32(token.encode("utf-8", "surrogatepass")) % _SPAN)


def _spelled(char: str) -> bool:
    """Of a script that puts blanks between words."""
    return char.isalpha() and not unspaced(char)


def unspaced(char: str) -> bool:
    """Chinese, Japanese or Korean."""
    return "\u3040" <= char <= "\ud7af"


def is_word(char: str) -> bool:
    """Whether this token is a word or a number."""
    return char >= "\U00010000" or char == NUMBER or unspaced(char)


def is_line(char: str) -> bool:
    """Whether this token ends a line."""
    return char in "\n\x0b"


def grams(shaped: str) -> set[str]:
    """Runs of three tokens near either end."""
    if len(shaped) > 2 * NEAR:
        shaped = shaped[:NEAR] + CUT + shaped[-NEAR:]
    return {shaped[at : at + 3] for at in range(len(shaped) - 2)}


NEAR = 400
"""Tokens of either end that are looked at to find templates."""
