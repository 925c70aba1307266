"""Phrases of several languages, looked for in the beginning of a text, in linear time."""

import re
from functools import cached_property
from importlib.resources import files
from typing import Any

NAME = re.compile(r"\{([a-z_]+)\}")
SIGNS = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "*": None, "_": None, "`": None}
)
"""Apostrophes that are one, and marks of Markdown."""
MARKS = "*_`"
"""Those of them that are ASCII: to look for three is faster than to translate all."""


def opening(text: str, length: int) -> str:
    """The first characters of a text: in lower case, with single spaces, without marks."""
    head = text[: length * 2]
    if not head.isascii():
        head = head.translate(SIGNS).encode("utf-8", "replace").decode()
    elif any(mark in head for mark in MARKS):
        head = head.translate(SIGNS)
    return " ".join(head.lower().split())[:length]


class Phrases:
    """The patterns of one section of a file beside this one."""

    def __init__(self, file: str, section: str) -> None:
        self._file = file
        self._section = section

    def find(self, text: str) -> tuple[int, int] | None:
        """Where a phrase stands (start, end) in a text that `opening` gave."""
        found = self._compiled.search(encoded := text.encode())
        if found is None:
            return None
        start, end = (len(encoded[:at].decode()) for at in found.span())
        return start, end

    @cached_property
    def _compiled(self) -> Any:
        import re2  # only where somebody asks

        options = re2.Options()
        options.max_mem = 64 * 2**20
        every = (f"(?:{pattern})" for _, pattern in read_patterns(self._file, self._section))
        return re2.compile("|".join(every).encode(), options=options)  # texts take twice as long


def read_patterns(file: str, section: str) -> list[tuple[str, str]]:
    """(language, pattern) of a section, with the parts that have a name put in."""
    named: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    at = ""
    for line in (files("llmproxy_core.success") / file).read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            at = line.strip("[]")
            continue
        name, _, text = line.partition(" ")
        text = NAME.sub(lambda part: named[part[1]], text)
        if name.startswith("="):
            named[name[1:]] = text
        elif at == section:
            found.append((name, text))
    return found
