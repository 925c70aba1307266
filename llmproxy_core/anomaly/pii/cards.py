"""Numbers of payment cards: an issuer's range, its length, and the check digit (Luhn)."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.pii.mention import Mention, told

WORDS = re.compile(
    r"\b(?:credit|debit|card\w*|cc|ccn|visa|master-?card|amex|american express|discover|diners|jcb"
    r"|maestro|pan|payment|billed|kredit\w*|karte\w*|kartennummer|carte|tarjeta|carta|cart[ãa]o"
    r"|creditcard\w*|kaart\w*)\b|card[_\s-]?(?:number|no)|[Cc]ard\"",
    re.IGNORECASE,
)
LOOSE = "JCB, by its first digits"
RANGES = (
    (re.compile(r"4\d{12}(?:\d{3}(?:\d{3})?)?"), "Visa"),
    (
        re.compile(r"(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"),
        "Mastercard",
    ),
    (re.compile(r"3[47]\d{13}"), "American Express"),
    (re.compile(r"3(?:0[0-59]|[689]\d)\d{11}(?:\d{2})?"), "Diners Club"),
    (re.compile(r"6(?:011|4[4-9]\d|5\d{2})\d{12}(?:\d{3})?"), "Discover"),
    (re.compile(r"(?:2131|1800)\d{11}|35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?"), "JCB"),
    (re.compile(r"35\d{14}"), LOOSE),
    (re.compile(r"(?:62|81)\d{14}(?:\d{3})?"), "UnionPay"),
    (re.compile(r"(?:50|5[6-9]|6[0-9])\d{10,17}"), "Maestro"),
)
GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
SURE = frozenset({14, 15, 16})
"""Digits that a card has and little else; with other lengths words have to tell it."""
_TESTS = (
    "4111111111111111 4242424242424242 4012888888881881 5555555555554444 5105105105105100"
    " 378282246310005 371449635398431 6011111111111117 6011000990139424 30569309025904 38520000023237"
    " 3530111333300000 3566002020360505 4000056655665556 2223003122003222 4222222222222"
)
TESTS = frozenset(_TESTS.split())
"""Numbers that the makers of tests agreed on."""


NUMBER = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){11,18}(?![\w-])(?!\.\d)")


def cards(text: str, start: int, end: int) -> Iterator[Mention]:
    for number in NUMBER.finditer(text, start, end):
        digits = number[0].replace(" ", "").replace("-", "")
        if found := card(text, number.start(), number.end(), digits):
            yield found


def card(text: str, start: int, end: int, digits: str) -> Mention | None:
    """Is the number at `start:end` one of a card?"""
    if not 12 <= len(digits) <= 19 or len(set(digits)) < 2 or not luhn(digits):
        return None
    issuer = next((name for pattern, name in RANGES if pattern.fullmatch(digits)), None)
    if issuer is None:
        return None
    near = told(WORDS, text, start, end)
    grouped = bool(GROUPED.fullmatch(text, start, end))
    if not (near or grouped or (len(digits) in SURE and end - start == len(digits))):
        return None
    if issuer in ("Maestro", LOOSE) and not near:
        return None
    test = digits in TESTS
    score = 0.3 if test else 0.95 if near or grouped else 0.75
    what = f"a number of a card ({issuer})"
    return Mention(start, end, "card", what, score, "low" if test else "high")


def luhn(digits: str) -> bool:
    odd = sum(map(int, digits[-1::-2]))
    return (odd + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0
