"""What a finding rests on, with what stands around it; and marks, where secrets were.

Much of what is found is not seen: characters without width, letters that turn the line around. So
what `plain` would leave out is spelled here, `⟨U+200B x3⟩`, and tag characters as what they say.
"""

import re
from collections.abc import Iterator

from textual.content import Content

from llmproxy_core.tui import plain

MARK = re.compile(r"\[[a-z_]+:[\w.-]{1,80}:fp_[0-9a-f]{12}\]")
"""What stands in the place of a secret, see `masking.masker`."""
SPELLED = 60
"""Tag characters of one run that are shown as what they say."""

_UNSEEN = re.compile(
    r"(?P<tags>[\U000e0020-\U000e007e]+)"
    r"|(?P<same>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff])(?P=same)*"
)

EVIDENCE_STYLE = "bold $background on $warning"
UNSEEN_STYLE = "bold $error"
MARK_STYLE = "$foreground 50%"
AROUND_STYLE = "$foreground 75%"


def highlighted(excerpt: str, start: int, end: int) -> Content:
    """The excerpt, its characters `start:end` as those that count."""
    start = max(0, min(start, len(excerpt)))
    end = max(start, min(end, len(excerpt)))
    return Content.assemble(
        *_around(excerpt[:start]),
        *((run, EVIDENCE_STYLE) for run, _ in _runs(excerpt[start:end])),
        *_around(excerpt[end:]),
    )


def spelled(text: str) -> str:
    """With what is not seen spelled, in as many lines as it has."""
    return "".join(text for text, _ in _runs(text))


def split_marks(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a text; True: a mark in the place of a secret."""
    at = 0
    for mark in MARK.finditer(text):
        if mark.start() > at:
            yield text[at : mark.start()], False
        yield mark[0], True
        at = mark.end()
    if at < len(text):
        yield text[at:], False


def _around(text: str) -> Iterator[tuple[str, str]]:
    for run, unseen in _runs(text):
        if unseen:
            yield run, UNSEEN_STYLE
        else:
            for piece, marked in split_marks(run):
                yield piece, MARK_STYLE if marked else AROUND_STYLE


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces made safe; True: of what is not seen."""
    at = 0
    for found in _UNSEEN.finditer(text):
        yield plain.block(text[at : found.start()]), False
        yield _spelled(found), True
        at = found.end()
    yield plain.block(text[at:]), False


def _spelled(found: re.Match[str]) -> str:
    if found["tags"]:
        said = "".join(chr(ord(char) - 0xE0000) for char in found["tags"][:SPELLED])
        more = "…" if len(found["tags"]) > SPELLED else ""
        return f"⟨tags: {said}{more}⟩"
    many = f" x{len(found[0])}" if len(found[0]) > 1 else ""
    return f"⟨U+{ord(found[0][0]):04X}{many}⟩"
