"""What is searched for: `timeout -retry "connection refused"`.

All words must be in what is new in a call, in any order; none of those after a `-`; and what
stands in quotes must be there as it is written, in either case.
"""

import re
from dataclasses import dataclass

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.words import hashed, words

TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


class SearchError(LlmproxyError):
    """Nothing that could be looked for; says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """`wanted`, `unwanted`: hashes of words; the phrases have to be looked for in the texts."""

    wanted: tuple[int, ...] = ()
    unwanted: tuple[int, ...] = ()
    phrases: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Do the hashes alone decide?"""
        return not (self.phrases or self.absent)

    def seen_in(self, text: str) -> bool:
        """Does a text alone hold all that is wanted?"""
        found = set(hashed(words(text)))
        return (
            found.issuperset(self.wanted) and found.isdisjoint(self.unwanted) and self.holds(text)
        )

    def holds(self, text: str) -> bool:
        """Are the phrases in a text as they should be?"""
        text = folded(text)
        return all(one in text for one in self.phrases) and not any(
            one in text for one in self.absent
        )


def parse(text: str) -> Query:
    """Read what was typed.

    Raises:
        SearchError: there is no word in it, or none that is looked for.
    """
    wanted: set[bytes] = set()
    unwanted: set[bytes] = set()
    phrases: list[str] = []
    absent: list[str] = []
    if text.count('"') % 2:
        raise SearchError(f"{text}: close the quotes")
    for term in TERM.finditer(text):
        word = term["phrase"] if term["word"] is None else term["word"]
        found = words(word)
        minus, quoted = bool(term["minus"]), term["word"] is None
        if not minus:
            wanted |= found
        elif not quoted and len(found) == 1:
            unwanted |= found
        if word.strip() and (quoted or (minus and len(found) != 1)):
            (absent if minus else phrases).append(folded(word))
    if not wanted and not unwanted and not phrases and not absent:
        raise SearchError(
            f"{text or 'nothing'}: name a word to look for; it needs two letters or digits, and "
            'words like "the" are found within quotes only'
        )
    return Query(tuple(hashed(wanted)), tuple(hashed(unwanted)), tuple(phrases), tuple(absent))


def joined(queries: list[Query]) -> Query:
    """All of them at once."""
    return Query(
        *(
            tuple(dict.fromkeys(one for query in queries for one in getattr(query, name)))
            for name in ("wanted", "unwanted", "phrases", "absent")
        )
    )


def folded(text: str) -> str:
    """In lower case, blanks of all kinds as one."""
    return " ".join(text.lower().split())
