"""The words of a text, as the search index has them: sorted 32-bit hashes.

A word is a run of two or more letters and digits, in lower case; `_` and every other sign part
words. Chinese, Japanese and Korean, written without blanks, are taken in pairs of characters.
Blobs (base64), words of over LONGEST bytes and the STOP words are left out: nearly every call has
those, so that an index of them would be large and tell nothing.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

LONGEST = 40
MOST = 10_000
"""Words of one call: 40 KB of hashes."""
STOP = frozenset(
    b"about after all also an and any are as at be been but by can could do does for from had has "
    b"have he her his how if in into is it its just like ll me more my no not of on one only or "
    b"other our out re she should so some such than that the their them then there these they "
    b"this to too up us use used using ve was we were what when where which who will with would you "
    b"your".split()
)
PARTED = bytes(
    byte + 32 if 65 <= byte <= 90 else byte if byte < 128 and chr(byte).isalnum() else 32
    for byte in range(256)
)
"""ASCII in lower case, and a blank for every sign."""
SHORT = 160
BLOB = re.compile(rb"[A-Za-z0-9+/_\-]{160,}+")
RUN = re.compile(r"[^\W_]+")
PAIRED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003134f]+")


def words(text: str) -> set[bytes]:
    """In UTF-8."""
    if text.isascii():
        raw = text.encode()
        if len(raw) > SHORT and max(map(len, raw.split()), default=0) > SHORT:
            raw = BLOB.sub(b" ", raw)
        found = set(raw.translate(PARTED).split())
    else:
        found = {word.encode() for word in _foreign(text)}
    found -= STOP
    return {word for word in found if 1 < len(word) <= LONGEST}


def hashed(found: Iterable[bytes]) -> list[int]:
    """Sorted, as signed 32-bit numbers; MOST at most."""
    return sorted({crc32(word) - 0x8000_0000 for word in found})[:MOST]


def short(word: int) -> int:
    """The first 24 bits of a hash: a call of 250 words has a given other one at odds of 1:70,000."""
    return (word + 0x8000_0000) >> 8


def low_half(word: int) -> bytes:
    """Two bytes that `packed` has in it somewhere if it holds the word."""
    return struct.pack(">H", short(word) & 0xFFFF)


def packed(found: Sequence[int]) -> bytes:
    """Hashes, sorted, in some 18 bits each (Elias and Fano's way): the lower 16 bits of each short
    one, then a bit row in which number n stands at n + its upper 8 bits."""
    numbers = list(dict.fromkeys(map(short, found)))
    bits = bytearray(b"0" * (-(-len(numbers) // 8) * 8 + 256))
    for n, number in enumerate(numbers):
        bits[n + (number >> 16)] = 49
    lows = struct.pack(f">{len(numbers)}H", *[number & 0xFFFF for number in numbers])
    return lows + int(bits, 2).to_bytes(len(bits) // 8)


def holds(data: bytes, word: int) -> bool:
    """Is the short hash of a word among the packed ones?"""
    count = (len(data) - 32) * 8 // 17
    low, high = low_half(word), short(word) >> 16
    at = data.find(low, 0, 2 * count)
    while at >= 0:
        n, odd = divmod(at, 2)
        if not odd:
            row = int.from_bytes(data[2 * count :]) >> 8 * (len(data) - 2 * count) - 1 - n - high
            if row & 1 and row.bit_count() == n + 1:
                return True
        at = data.find(low, at + 1, 2 * count)
    return False


def _foreign(text: str) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", text.encode(errors="replace").decode())
    for run in RUN.findall(text.lower()):
        position = 0
        for written in PAIRED.finditer(run):
            yield run[position : written.start()]
            pairs = written[0]
            yield from (pairs[n : n + 2] for n in range(max(1, len(pairs) - 1)))
            position = written.end()
        yield run[position:]
