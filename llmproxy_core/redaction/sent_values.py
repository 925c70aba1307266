"""The placeholders of a request, as they are looked for in its answer."""

import json
import re
from collections.abc import Iterable, Mapping

LOOKED_AT = 8
"""Bytes of a placeholder that tell that an event has to be looked at."""
ESCAPED = rb"\\u00"
"""Nobody needs to escape a character of a placeholder, but some do."""
EVERYTHING = re.compile(b"")
type Tree = dict[int, "Tree"]
"""What may follow on what."""
NEEDS_ESCAPE = re.compile(r"[\"\\\x00-\x1f\x7f\ud800-\udfff]")
NEEDS_ASCII = re.compile(r"[\ud800-\udfff]")


class SentValues:
    """`sign`: without it an event has no placeholder in it, and no beginning of one at its end.
    `escapes`: some value cannot stand in JSON as it is; then all events are looked at, as one has
    to know how deep in JSON within JSON a placeholder is."""

    __slots__ = ("_longest", "_pattern", "_starts", "back", "escapes", "sign")

    def __init__(self, back: Mapping[str, str]) -> None:
        """`back`: from placeholders to what they stand for; not empty."""
        self.back = back
        ordered = sorted(back, key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(map(re.escape, ordered)))
        self._longest = len(ordered[0])
        self._starts: dict[str, list[str]] = {}
        for one in ordered:
            self._starts.setdefault(one[0], []).append(one)
        self.escapes = any(map(NEEDS_ESCAPE.search, back.values()))
        self.sign = EVERYTHING if self.escapes else _sign(back)

    def found(self, text: str, since: int = 0) -> Iterable[re.Match[str]]:
        return self._pattern.finditer(text, since)

    def begins(self, text: str, since: int) -> int:
        """Where one begins that is not there whole, or the end of the text; not before `since`."""
        for at in range(max(since, len(text) - self._longest + 1), len(text)):
            for one in self._starts.get(text[at], ()):
                if one.startswith(text[at:]):
                    return at
        return len(text)


class Verbatim(str):
    """What was escaped for JSON where it stood, in a way that only copying brings back."""

    __slots__ = ()


class Within(Verbatim):
    """The same, in what looks like JSON and is none."""

    __slots__ = ()


def instead(value: str, depth: int, escapes: int) -> bytes:
    """What takes the place of a placeholder in a string of JSON, in JSON within it so deep.
    `escapes`: see `nesting`."""
    if isinstance(value, Verbatim):
        loose = depth > 0 and not isinstance(value, Within)
        escapes = int(loose and not _is_json(value))
    return escaped(value, 1 + escapes)


def _is_json(text: str) -> bool:
    """Between quotes."""
    try:
        json.loads(f'"{text}"')
    except ValueError:
        return False
    return True


def escaped(value: str, times: int) -> bytes:
    """A text as it stands between the quotes of JSON, in JSON within JSON `times` deep."""
    for _ in range(times):
        value = json.dumps(value, ensure_ascii=NEEDS_ASCII.search(value) is not None)[1:-1]
    return value.encode("utf-8", "surrogatepass")


def _sign(placeholders: Iterable[str]) -> re.Pattern[bytes]:
    """One of them, as far as it is looked at; or its beginning, at the end of a string."""
    tree: Tree = {}
    for one in placeholders:
        _plant(tree, one.encode()[:LOOKED_AT])
    return re.compile(b"|".join([*_branches(tree), ESCAPED]))


def _plant(tree: Tree, word: bytes) -> None:
    for char in word:
        tree = tree.setdefault(char, {})


def _branches(tree: Tree) -> list[bytes]:
    grown = []
    for char, above in sorted(tree.items()):
        more = b'(?:"|' + b"|".join(_branches(above)) + b")" if above else b""
        grown.append(re.escape(bytes([char])) + more)
    return grown
