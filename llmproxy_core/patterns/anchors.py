"""Templates by how they begin, or by how they end.

Few share their first tokens as a rule. Where many do, more tokens are asked; where those do not tell
either, a token that few of them have.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from llmproxy_core.patterns.templates import Runs

SIZES = (6, 12, 24)
"""Tokens of an end that are looked up, the two marks counted."""
CROWDED = 8
"""Templates of one key that are tried one after the other."""


class Anchors:
    """Numbers of templates. `at_end`: by how they end."""

    def __init__(self, templates: Sequence[Runs], numbers: Collection[int], at_end: bool) -> None:
        self._templates = templates
        self._at_end = at_end
        self._few: dict[str, list[int]] = defaultdict(list)
        self._many: dict[str, Mapping[str, Sequence[int]]] = {}
        """Templates of one key by a token they have besides, or by "": they have no other."""
        for size in SIZES:
            numbers = self._enter(numbers, size)
        self._sizes = sorted({len(key) for key in (*self._few, *self._many)})

    @property
    def longest(self) -> int:
        """Tokens that are looked at."""
        return max(self._sizes, default=0)

    def likely(self, shaped: str) -> Iterator[int]:
        """The templates that the text may fit; no other one begins (ends) like it."""
        for key in self._keys(shaped):
            yield from self._few.get(key, ())
            if many := self._many.get(key):
                yield from many.get("", ())
                for token in many.keys() & set(shaped):
                    yield from many[token]

    def is_crowded(self, shaped: str) -> bool:
        """Whether the rest of the text is needed to tell which templates are likely."""
        return bool(self._many) and any(key in self._many for key in self._keys(shaped))

    def _keys(self, shaped: str) -> Iterator[str]:
        return (self._key(shaped, size) for size in self._sizes)

    def _key(self, shaped: str, size: int) -> str:
        return shaped[-size:] if self._at_end else shaped[:size]

    def _enter(self, numbers: Collection[int], size: int) -> list[int]:
        """Enters those that so many tokens tell; the others are returned."""
        found: dict[str, list[int]] = defaultdict(list)
        for number in numbers:
            found[self._key(self._run(number), size)].append(number)
        left: list[int] = []
        for key, same in found.items():
            if len(same) > CROWDED and size < SIZES[-1]:
                left += (one for one in same if len(self._run(one)) > size)
                same = [one for one in same if len(self._run(one)) <= size]
            if len(same) > CROWDED:
                self._many[key] = self._by_token(same, key)
            elif same:
                self._few[key] += same
        return left

    def _run(self, number: int) -> str:
        return self._templates[number][-1 if self._at_end else 0]

    def _by_token(self, numbers: Sequence[int], key: str) -> Mapping[str, Sequence[int]]:
        tokens = {one: set("".join(self._templates[one])).difference(key) for one in numbers}
        counts = Counter(token for found in tokens.values() for token in found)
        grouped: dict[str, list[int]] = defaultdict(list)
        for one, found in tokens.items():
            grouped[min(found, key=lambda token: (counts[token], token), default="")].append(one)
        return grouped
