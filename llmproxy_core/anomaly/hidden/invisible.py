"""Characters without a shape: tags, zero-width ones, runs of variation selectors."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.hidden.revealed import Revealed

INVISIBLE = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u206a-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
MOST = 5000
TAG = re.compile(r"[\U000e0000-\U000e007f]+")
FLAG_END, FLAG_LONGEST = "\U000e007f", 8
BLACK_FLAG = "\U0001f3f4"
SELECTORS = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")
WIDTHLESS = "\u200b\u200c\u200d\u2060\ufeff\u2061\u2062\u2063\u2064\u180e"
JOINED = re.compile(
    r"[\u0600-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u18af\u1900-\u1aff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010d00-\U00011fff\U0001e900-\U0001e95f]"
)
"""Scripts that are written with joiners and non-joiners, or with breaks that are not seen."""
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
PICTURE = re.compile(
    r"[\u00a9\u00ae\u203c-\u3299\ufe0f\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
LETTER = re.compile(r"[A-Za-z\u00c0-\u052f]")


def found(text: str) -> Iterator[Revealed]:
    """What these characters hide; ones that a script or an emoji needs are passed over."""
    inside: list[int] = []
    for n, run in enumerate(INVISIBLE.finditer(text)):
        if n == MOST:
            break
        before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
        revealed = _run(run[0], run.start(), before, after)
        if revealed is not None:
            yield revealed
        elif _is_inside(run[0], before, after):
            inside.append(run.start())
    if inside:
        yield _broken(text, inside)


def without(text: str) -> str:
    """The text without any of them."""
    return INVISIBLE.sub("", text)


def _run(run: str, start: int, before: str, after: str) -> Revealed | None:
    end = start + len(run)
    tags = TAG.search(run)
    if tags is not None:
        flag = before == BLACK_FLAG and len(tags[0]) <= FLAG_LONGEST and tags[0].endswith(FLAG_END)
        if not flag:
            said = "".join(
                chr(ord(sign) - 0xE0000) for sign in tags[0] if 0x20 <= ord(sign) - 0xE0000 < 0x7F
            )
            return Revealed(said, start, end, "text in invisible tag characters", 0.95, "critical")
    selectors = SELECTORS.search(run)
    if selectors is not None and not (len(selectors[0]) == 2 and PICTURE.match(before)):
        return Revealed(
            _selected(selectors[0]), start, end, "text in variation selectors", 0.9, "critical"
        )
    if len(run) == 1 and run >= "\U000e0100" and before and not CJK.match(before):
        return Revealed("", start, end, "a variation selector that selects nothing", 0.5, "medium")
    return _zeros(run, start, end, before, after)


def _zeros(run: str, start: int, end: int, before: str, after: str) -> Revealed | None:
    """A row of characters without width; two kinds of them in a row are bits."""
    kinds = [sign for sign in run if sign in WIDTHLESS]
    if len(kinds) < 4 or (JOINED.match(before) and JOINED.match(after) and len(kinds) < 8):
        return None
    said = _bits("".join(kinds))
    if said:
        return Revealed(said, start, end, "text in characters without width", 0.95, "critical")
    varied = len(set(kinds)) > 1
    score = 0.8 if len(kinds) >= 8 and varied else 0.55 if varied else 0.4
    return Revealed("", start, end, "a row of characters without width", score, "medium")


def _is_inside(run: str, before: str, after: str) -> bool:
    """Inside a word, where neither a script nor an emoji needs it."""
    if not before or not after or run[0] in "\u00ad\ufe0f\ufe0e":
        return False
    if PICTURE.match(before) or PICTURE.match(after) or JOINED.match(before) or JOINED.match(after):
        return False
    if UNSPACED.match(before) or UNSPACED.match(after):
        return False
    return LETTER.match(before) is not None and LETTER.match(after) is not None


def _broken(text: str, inside: list[int]) -> Revealed:
    """Words that are cut so that no search finds them."""
    score = 0.8 if len(inside) >= 3 else 0.55
    start = text.rfind("\n", 0, inside[0]) + 1
    end = text.find("\n", inside[-1])
    end = len(text) if end < 0 else end
    said = without(text[max(start, inside[0] - 2000) : min(end, inside[0] + 8000)])
    return Revealed(
        said,
        inside[0],
        inside[-1] + 1,
        "words cut by characters without width",
        score,
        "medium",
        0.4,
    )


def _selected(run: str) -> str:
    """One byte a selector: VS1-16 are 0-15, VS17-256 the rest."""
    raw = bytes(
        ord(sign) - 0xFE00 if sign <= "\ufe0f" else (ord(sign) - 0xE0100 + 16) & 0xFF
        for sign in run
    )
    return raw.decode("utf-8", "replace") if any(byte >= 32 for byte in raw) else ""


def _bits(run: str) -> str:
    """Of two kinds of signs, perhaps with a third that parts the letters."""
    counts = sorted(set(run), key=lambda sign: -run.count(sign))
    if len(counts) == 3:
        run = run.replace(counts[2], "")
    if len(counts) not in (2, 3) or len(run) < 16:
        return ""
    for zero, one in ((counts[0], counts[1]), (counts[1], counts[0])):
        for width in (8, 7, 16):
            bits = run.replace(zero, "0").replace(one, "1")
            bits = bits[: len(bits) - len(bits) % width][:80_000]
            said = "".join(chr(int(bits[at : at + width], 2)) for at in range(0, len(bits), width))
            if len(said) >= 2 and said.isprintable() and said.isascii():
                return said
    return ""
