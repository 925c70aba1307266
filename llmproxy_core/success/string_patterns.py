"""The patterns of JSON Schemas, in linear time."""

from functools import lru_cache
from typing import Any

LONGEST = 1000
"""Characters of a pattern."""
LARGEST = 2**20
"""Bytes that RE2 may take for one."""


def matches(pattern: str, text: str) -> bool:
    """Is it anywhere in the text? Yes for patterns that RE2 does not know: they forbid nothing."""
    compiled = _compiled(pattern) if len(pattern) <= LONGEST else None
    if compiled is None:
        return True
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode()
    return compiled.search(plain) is not None


@lru_cache(256)
def _compiled(pattern: str) -> Any:
    import re2  # only where a pattern is used

    options = re2.Options()
    options.max_mem = LARGEST
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except (re2.error, UnicodeEncodeError):
        return None
