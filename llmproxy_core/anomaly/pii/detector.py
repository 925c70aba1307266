"""Finds what is about persons; a text with neither `@` nor digits enough costs next to nothing."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.pii.accounts import accounts
from llmproxy_core.anomaly.pii.addresses import addresses
from llmproxy_core.anomaly.pii.cards import card
from llmproxy_core.anomaly.pii.emails import emails
from llmproxy_core.anomaly.pii.mention import Mention
from llmproxy_core.anomaly.pii.persons import persons
from llmproxy_core.anomaly.pii.phones import phones

SOME_DIGITS = re.compile(r"\d(?:[^\w\n]{0,2}\d){3}")
"""No number of a person, card, phone or address has less."""
LONG_NUMBER = re.compile(r"(?<![\w.,=+-])\d(?:[ -]?\d){11,18}(?![\w-])(?!\.\d)")
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
    if not SOME_DIGITS.search(text):
        return
    yield from accounts(text)
    for number in LONG_NUMBER.finditer(text):
        digits = number[0].replace(" ", "").replace("-", "")
        if found := card(text, number.start(), number.end(), digits):
            yield found
    yield from persons(text)
    yield from phones(text)
    yield from addresses(text)


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
