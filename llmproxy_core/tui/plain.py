"""Foreign text made safe to print: nothing in it may move the cursor or reorder the line.

Terminals obey control characters, and some obey bidirectional overrides and disagree about the
width of joined emoji; so none of those get through. Lone surrogates cannot be written at all.
"""

import re

_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_INVISIBLE = (
    "\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
# A whole escape sequence goes at once: without its ESC its rest would be shown as rubbish.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_UNWANTED = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_STACKED = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{3})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def block(text: str, tab: int = 4) -> str:
    """Text of many lines: newlines stay, tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(tab)
    if "\x1b" in text or not text.isascii():
        text = _ESCAPES.sub("", text)
    text = _UNWANTED.sub("", text)
    if not text.isascii():
        text = _STACKED.sub(r"\1", _SURROGATES.sub("\ufffd", text))
    return text


def short(text: str, most: int) -> str:
    """A line, with an ellipsis where it is cut."""
    text = line(text, most + 1)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def line(text: str, limit: int = 400) -> str:
    """Text in one line, runs of white space made one space, at most `limit` characters."""
    text = text[: limit * 4]
    if text.isascii() and text.isprintable() and "  " not in text:
        return text[:limit]
    return " ".join(block(text).split())[:limit]
