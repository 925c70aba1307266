"""How deep in JSON within JSON a text that comes in pieces has got: arguments of tools, files.

{"file": "{\\"key\\": \\"      two strings are open, so what follows is escaped twice
"""

import re

from llmproxy_core.redaction.leaves import text_of
from llmproxy_core.redaction.occurrences import utf8

BEGINS = re.compile(r'\s*(?:\{\s*["}]|\[\s*["{\[])')
MAY_BEGIN = re.compile(r"\s*(?:[{\[]\s*)?")
WITHIN = re.compile(r'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+', re.DOTALL)
DEEPEST = 8
PLACEHOLDER = "x"
"""In place of one, or of what it stands for: neither opens a string."""
LONGEST_ESCAPE = 6
NEAR = 8


class Nesting:
    """Of a text; one that does not begin as JSON does is as it is, whatever it says."""

    __slots__ = ("_inner", "_is_json", "_last", "_level", "_rest", "_start")

    def __init__(self, level: int = 0) -> None:
        self._level = level
        self._start = ""
        self._is_json: bool | None = None
        self._inner: Nesting | None = None
        """Of the string that is open."""
        self._rest = ""
        """Of an escape that has begun."""
        self._last = ""

    @property
    def depth(self) -> int:
        """Strings that are open."""
        return 0 if self._inner is None else 1 + self._inner.depth

    @property
    def escapes(self) -> int:
        """How often what follows is escaped; behind a quote in prose it is, too, as in code, and
        the quote tells by its own escapes how often."""
        if self.depth or not self._last.endswith('"'):
            return self.depth
        quoted = self._last[:-1]
        return (len(quoted) - len(quoted.rstrip("\\")) + 1).bit_length()

    def feed(self, text: str) -> None:
        self._last = (self._last + text[-NEAR:])[-NEAR:]
        if self._is_json is None:
            text = self._start + text
            if self._level >= DEEPEST:
                self._is_json = False
            elif MAY_BEGIN.fullmatch(text):
                self._start = text.strip()
                return
            else:
                self._is_json = BEGINS.match(text) is not None
                self._start = ""
        if self._is_json:
            self._walk(self._rest + text)

    def _walk(self, text: str) -> None:
        at, self._rest = 0, ""
        while at < len(text):
            if self._inner is None:
                at = text.find('"', at) + 1
                if not at:
                    return
                self._inner = Nesting(self._level + 1)
            within = WITHIN.match(text, at)
            end = within.end() if within else at
            self._inner.feed(text_of(utf8(text[at:end])))
            if text[end : end + 1] == "\\":
                self._rest = text[end:]
                if len(self._rest) > LONGEST_ESCAPE:
                    self._is_json, self._inner, self._rest = False, None, ""
            if text[end : end + 1] != '"':
                return
            self._inner = None
            at = end + 1
