"""Orders that are written in base64, hex, percent signs, escapes, rot13, backwards or as bits."""

import codecs
import html
import re
from collections.abc import Callable, Iterator

from llmproxy_core.anomaly.hidden.revealed import Revealed
from llmproxy_core.anomaly.reading.encodings import LARGEST, decoded
from llmproxy_core.anomaly.reading.scanning import Pattern

BLOB = Pattern(r"[A-Za-z0-9+/_-]{24,}={0,2}")
PERCENT = Pattern(r"[\w.+-]{0,20}(?:%[0-9A-Fa-f]{2}[\w.+-]{0,12}){8,}")
ESCAPED = Pattern(r"(?:\\u00[0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}){8,}|(?:&#x?[0-9a-fA-F]{2,5};){8,}")
_BITS = r"(?:[01]{8}[ ,]?){6,}"
_SPACED_HEX = r"\b(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]){11,}(?:0x)?[0-9a-fA-F]{2}"
BITS, SPACED_HEX = Pattern(_BITS), Pattern(_SPACED_HEX)
NUMERALS = Pattern(f"{_BITS}|{_SPACED_HEX}")
LEAST_CODED = 8
"""Signs of PERCENT and ESCAPED at least."""
_TURNED = (
    r"(?i)\b(?:vtaber|vafgehpgvbaf?|cerivbhf|cebzcg|cnffjbeq|nffvfgnag|flfgrz|erirny|qvfertneq"
    r"|frperg|sbyybj|rkrphgr|phfgbzre|perqragvnyf?|gur|lbh|naq|lbhe|jvgu|guvf|gung|sebz|jura)\b"
)
_BACKWARDS = (
    r"(?i)\b(?:snoitcurtsni|noitcurtsni|suoiverp|erongi|tpmorp|drowssap|tnatsissa|metsys|laever"
    r"|eht|uoy|ruoy|siht|taht|dluohs|htiw|morf|nehw|ohw|ot|rof)\b"
)
TURNED, BACKWARDS = Pattern(_TURNED), Pattern(_BACKWARDS)
ODD_WORDS = Pattern(f"{_TURNED}|{_BACKWARDS}")
"""Both at once: hardly a text has any."""
DATA = re.compile(
    r"(?i)(?:data:(?!text/)[\w/+.-]{0,60}(?:;[\w=-]{0,40})*;base64,|sha(?:256|384|512)-"
    r"|integrity=\"?|-----\s*\n?)\Z"
)
DATA_ENDS = ("-", ",", "=", '"')
"""What stands before data ends so, blanks aside."""
DIGIT = re.compile("[0-9]")
MOST = 60
WINDOW = 1500


def found(text: str) -> Iterator[Revealed]:
    yield from _blobs(text)
    if text.count("%") >= LEAST_CODED:
        yield from _each(text, PERCENT, decoded, "text in percent signs")
    if text.count("\\") >= LEAST_CODED or text.count("&#") >= LEAST_CODED:
        yield from _each(text, ESCAPED, _unescaped, "text in escapes")
    if "0" in text and NUMERALS.within(text):
        yield from _each(text, BITS, _from_bits, "text in bits")
        yield from _each(text, SPACED_HEX, _from_hex, "text in hex")
    if ODD_WORDS.within(text):
        yield from _turned(text)


def _turned(text: str) -> Iterator[Revealed]:
    for pattern, turn, how in (
        (TURNED, lambda part: codecs.decode(part, "rot13"), "text in rot13"),
        (BACKWARDS, lambda part: part[::-1], "text written backwards"),
    ):
        places = pattern.places(text)[:MOST]
        if len({text[start:end] for start, end in places}) >= 3:
            start = max(0, places[0][0] - WINDOW // 3)
            end = min(len(text), start + WINDOW)
            yield Revealed(turn(text[start:end]), start, end, how, 0.2, "high", 0.75)


def _blobs(text: str) -> Iterator[Revealed]:
    looked = 0
    for start, end in BLOB.places(text):
        blob = text[start:end]
        if not _is_cased(blob[:200]) or _is_data(text[max(0, start - 120) : start]):
            continue
        if (looked := looked + 1) > MOST:
            return
        said = decoded(blob)
        if said is not None and said != blob and len(said) >= 12:
            yield Revealed(said, start, end, "text in base64 or hex", 0.1, "high", 0.85)


def _is_cased(blob: str) -> bool:
    """Small and large letters, digits, or a `=` at its end."""
    return (
        (blob != blob.lower() and blob != blob.upper())
        or DIGIT.search(blob) is not None
        or blob.endswith("=")
    )


def _is_data(before: str) -> bool:
    return before.rstrip().endswith(DATA_ENDS) and DATA.search(before) is not None


def _each(
    text: str, pattern: Pattern, read: Callable[[str], str | None], how: str
) -> Iterator[Revealed]:
    for start, end in pattern.places(text)[:MOST]:
        said = read(text[start : min(end, start + LARGEST)])
        if said and len(said) >= 6:
            yield Revealed(said, start, end, how, 0.1, "high", 0.8)


def _unescaped(part: str) -> str | None:
    if part.startswith("&"):
        return html.unescape(part)
    return re.sub(r"\\[ux](?:00)?([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), part)


def _from_bits(part: str) -> str | None:
    bits = re.sub(r"[ ,]", "", part)
    said = "".join(chr(int(bits[at : at + 8], 2)) for at in range(0, len(bits) - 7, 8))
    return said if said.isascii() and said.isprintable() else None


def _from_hex(part: str) -> str | None:
    said = "".join(
        chr(int(pair, 16))
        for pair in re.findall(r"[0-9a-fA-F]{2}(?![xX])", part.replace("0x", "").replace("\\x", ""))
    )
    return said if said.isascii() and said.isprintable() and " " in said else None
