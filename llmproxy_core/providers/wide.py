"""Text in UTF-16 or UTF-32: no provider sends it, but clients and servers of JSON read it."""

import json

TELLING = 8
"""Bytes by which it is known."""
ZEROS = 3
"""Among them, at least."""
BEGINS = b"{[\0\xff\xfe"
"""How JSON of the kind begins, and JSON that is not."""
BLANK = "\ufeff\t\r\n"


def wide_encoding(data: bytes) -> str:
    """Its name; "" for all else, and for what is too short to tell."""
    if data.count(b"\0", 0, TELLING) < ZEROS:
        return ""
    encoding = json.detect_encoding(data)
    begins = data[:TELLING].decode(encoding, "replace")
    return encoding if all(one.isprintable() or one in BLANK for one in begins) else ""
