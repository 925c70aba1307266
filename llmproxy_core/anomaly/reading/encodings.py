"""Text that is written so that nobody reads it at sight: base64, hex, percent signs and the like.

Everything is linear, bounded in depth and size, and raises nothing.
"""

import base64
import binascii
import re
import zlib
from urllib.parse import unquote

SHORTEST = 12
"""Characters of a blob: shorter ones are read as text too easily by chance."""
LARGEST = 16_384
"""Characters of a blob that are decoded; the rest of it is more of the same."""
DEEPEST = 3
HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2})+\Z")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\Z")
BASE32 = re.compile(r"(?:[A-Z2-7]{8})*[A-Z2-7]{2,8}={0,6}\Z|(?:[a-z2-7]{8}){2,}[a-z2-7]{0,8}\Z")
UNPRINTABLE = re.compile(
    r"[^\t\n\r\x20-\x7e\u00a0-\u024f\u0370-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\U0001f300-\U0001faff]"
)
READABLE = re.compile(r"[A-Za-z]{2}|[\u0370-\ud7af]")
DIGITS = re.compile(r"[0-9]+\Z")


def decoded(blob: str, depth: int = DEEPEST) -> str | None:
    """The readable text that a blob stands for, through several encodings; None: it is none."""
    plain = unquote(blob[:LARGEST]) if "%" in blob else blob
    for read in (from_percent, from_hex, from_base64, from_base32):
        text = read(blob if read is from_percent else plain)
        if text is not None:
            further = decoded(text.strip(), depth - 1) if depth > 1 and " " not in text else None
            if further or READABLE.search(text):
                return further or text
    return None


def from_percent(blob: str) -> str | None:
    """A text in percent signs whose letters or blanks are written so."""
    if blob.count("%") < 3:
        return None
    text = unquote(blob[:LARGEST])
    return text if len(text) < len(blob[:LARGEST]) and _reads(text) else None


def from_hex(blob: str) -> str | None:
    blob = blob.removeprefix("0x")[:LARGEST]
    if len(blob) < 16 or not HEX.match(blob) or (DIGITS.match(blob) and len(blob) < 32):
        return None
    return _text(bytes.fromhex(blob))


def from_base64(blob: str) -> str | None:
    """Of either alphabet, with or without `=` at the end."""
    blob = blob[:LARGEST]
    if len(blob) < SHORTEST or not BASE64.match(blob):
        return None
    body = blob.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        body = body[:-1]
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4))
    except (ValueError, binascii.Error):
        return None
    return _text(raw)


def from_base32(blob: str) -> str | None:
    blob = blob[:LARGEST]
    if len(blob) < 16 or not BASE32.match(blob):
        return None
    body = blob.rstrip("=").upper()
    try:
        return _text(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (ValueError, binascii.Error):
        return None


def _text(raw: bytes) -> str | None:
    if raw[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
        raw = _inflated(raw)
    if raw[1:2] == b"\0" and raw.count(0) * 2 >= len(raw) - 1:
        text = raw.decode("utf-16-le", "replace")
    else:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            if error.start < len(raw) - 3 or error.start < 8:
                return None
            text = raw[: error.start].decode()
    return text if _reads(text) or (len(text) >= 16 and HEX.match(text)) else None


def _inflated(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(47).decompress(raw, LARGEST)
    except zlib.error:
        return raw


def _reads(text: str) -> bool:
    """No control characters, and letters in it: bytes by chance are seldom so."""
    if not text or not READABLE.search(text):
        return False
    odd = len(UNPRINTABLE.findall(text))
    return odd == 0 if len(text) < 40 else odd * 50 <= len(text)
