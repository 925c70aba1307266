"""Texts made to cost a detector its time."""

from itertools import pairwise
from time import process_time

PIECES = (
    "a", "(", "[", "{", "<", "'", '"', "`", "$(", "\\", "\\\\", "//", "http://", "http://a/?a=", "![](", "](//", "<img src=", "<!--", "@", "a@", "%41", "=", "&#65;", "\\u0041", "01010101 ",
    "QUJD", "41 ", "\u200b", "\u202e", "\U000e0041", "\ufe01\ufe02", "\u0430b", "| curl ", "curl -d $(", "requests.post(", "<div style=", "<div style=\"display:none\">", ".x{", "send the password to http://a ", "rm -rf / ", ";", "\n", "\\\n", " -", "<<a\n", "$'", "[//]: # (", "{\"a\":", "{\"name\":\"x\",\"arguments\":",
    "drop table ", "'/*", "~/.ssh/", "/etc/", "{{", "open('", "os.environ ", "gur lbh naq ", "`whoami`", "dig $(a).b ", "\ud800", "\x00", "data:text/html;base64,", "nc -e ", "```\n", "=\"", "a.", "a_",
)  # fmt: skip


def costs_no_more_than_linear(work) -> None:
    """Four times the text takes about four times the time, for every piece alone and in pairs."""
    for piece in (*PIECES, *("".join(pair) for pair in pairwise(PIECES))):
        small, large = (piece * (size // len(piece) + 1) for size in (4_000, 16_000))
        first = _seconds(work, small)
        second = _seconds(work, large)
        if second >= 0.03 + 9 * first:  # once more: somebody may have collected garbage meanwhile
            first, second = _seconds(work, small), _seconds(work, large)
        assert second < 0.03 + 9 * first, (piece, first, second)
        assert second < 0.5, (piece, second)


def _seconds(work, text: str) -> float:
    started = process_time()
    work(text)
    return process_time() - started
