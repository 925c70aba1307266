"""Letters as they are meant: case, accents, look-alikes and disguises folded away.

The table is made from `unicodedata` by `make_table` when the model is trained, and shipped with
it: making it takes longer than a call may wait.
"""

import unicodedata

import numpy as np
from numpy.typing import NDArray

type Codes = NDArray[np.uint64]
type Places = NDArray[np.int64]

TABLE_SIZE = 0x20000
_TAGS = 0xE0000
_LOOK_ALIKES = dict(
    zip("аеорсухіјѕԁɡոһԛԝαορνικυετյօսցıƚɩ", "aeopcyxijsdgnhqwaopvikuetjouqili", strict=True)
)
_LEET = dict(zip("0134579$!|", "oieastgsil", strict=True))


def make_table() -> NDArray[np.uint16]:
    """What each code point below `TABLE_SIZE` is read as; 0: as nothing."""
    table = np.zeros(TABLE_SIZE, np.uint16)
    for code in range(TABLE_SIZE):
        table[code] = _meant(chr(code))
    while (table[table] != table).any():  # what a letter looks like may look like another
        table = table[table]
    return table


def _meant(char: str) -> int:
    if char in "\t\r":
        return 0x20
    if char == "\n" or char in "\u2028\u2029":
        return 0x0A
    if unicodedata.category(char) in ("Cf", "Cc", "Cs", "Mn", "Me"):
        return 0
    if "\uac00" <= char <= "\ud7a3":
        return ord(char)
    plain = unicodedata.normalize("NFKD", char).lower()
    base = next((c for c in plain if not unicodedata.combining(c)), " ")
    if unicodedata.category(base).startswith("Z"):
        return 0x20
    code = ord(_LOOK_ALIKES.get(base, base))
    return code if code < 0x10000 else 0x20


def folded(text: str, table: NDArray[np.uint16]) -> tuple[Codes, Places]:
    """The code points as they are meant, and at which character of `text` each stands.

    Characters made of Unicode tags are read as the ASCII that they hide.
    """
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if raw.size and int(raw.max()) >= TABLE_SIZE:
        tags = (raw >= _TAGS) & (raw < _TAGS + 0x80)
        raw = np.where(tags, raw - _TAGS, np.where(raw < TABLE_SIZE, raw, 0x20))
    meant = table.take(raw)
    if meant.all():
        return meant.astype(np.uint64), np.arange(meant.size)
    kept = np.flatnonzero(meant)
    return meant.take(kept).astype(np.uint64), kept


def leet_table() -> Codes:
    """The letter that each ASCII character stands for inside a word; itself for most."""
    table = np.arange(128, dtype=np.uint64)
    for sign, letter in _LEET.items():
        table[ord(sign)] = ord(letter)
    return table
