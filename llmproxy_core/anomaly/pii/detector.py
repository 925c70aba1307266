"""Finds what is about persons; a text without `@` and without many digits costs next to nothing."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.pii.accounts import accounts
from llmproxy_core.anomaly.pii.addresses import addresses
from llmproxy_core.anomaly.pii.cards import cards
from llmproxy_core.anomaly.pii.emails import emails
from llmproxy_core.anomaly.pii.mention import Mention
from llmproxy_core.anomaly.pii.persons import persons
from llmproxy_core.anomaly.pii.phones import MOST_PARSED, phones
from llmproxy_core.anomaly.reading.scanning import beyond_ascii

NUMBER = re.compile(r"\d(?:\D{0,3}\d){5,}+")
"""No number of a person, card or phone has fewer digits, or more between them."""
ASCII_NUMBER = re.compile(r"[0-9](?<![0-9]{2})(?:[^0-9]{0,3}[0-9]){5,}+")
"""The same, four times as fast, for a text without other digits: where it does not match from the
first of several digits, it does not from the next."""
DIGIT = re.compile(r"\d")
AROUND = 40
"""Characters that may belong to it on either side."""
BELIEVED = ("iban", "card", "email", "phone", "address")
"""Of two findings on the same characters the first is told; numbers of persons come before phones."""


class Pii:
    name = "pii"

    def find(self, text: Text) -> list[Finding]:
        return [_finding(one) for one in _apart(list(mentions(text.text)))]


def mentions(text: str) -> Iterator[Mention]:
    """All that may be about a person, in no order; some overlap."""
    if "@" in text:
        yield from emails(text)
    ascii = not DIGIT.search(beyond_ascii(text))
    budget = [MOST_PARSED]
    for start, end in _near_numbers(text, ascii=ascii):
        yield from accounts(text, start, end)
        yield from cards(text, start, end)
        yield from persons(text, start, end)
        yield from phones(text, start, end, budget)
    yield from addresses(text, ascii=ascii)


def _near_numbers(text: str, *, ascii: bool) -> Iterator[tuple[int, int]]:
    """Stretches with numbers in them, apart."""
    start, end = 0, -1
    for number in (ASCII_NUMBER if ascii else NUMBER).finditer(text):
        if number.start() - AROUND > end:
            if end >= 0:
                yield start, end
            start = max(0, number.start() - AROUND)
        end = min(len(text), number.end() + AROUND)
    if end >= 0:
        yield start, end


def _apart(found: list[Mention]) -> list[Mention]:
    apart: list[Mention] = []
    for one in sorted(found, key=lambda mention: (mention.start, _rank(mention))):
        if apart and one.start < apart[-1].end:
            if _rank(one) >= _rank(apart[-1]):
                continue
            apart.pop()
        apart.append(one)
    return apart


def _rank(one: Mention) -> float:
    return BELIEVED.index(one.kind) if one.kind in BELIEVED else 2.5


def _finding(one: Mention) -> Finding:
    return Finding(
        detector=f"pii.{one.kind}",
        family="pii",
        score=one.score,
        severity=one.severity,
        start=one.start,
        end=one.end,
        said=f"This looks like {one.what}.",
    )
