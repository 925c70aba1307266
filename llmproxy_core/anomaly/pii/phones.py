"""Phone numbers: international ones by their form, others where words tell that they are one."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.pii.mention import BEFORE, Mention

WORDS = re.compile(
    r"(?:\b(?:phones?|tel|telephones?|mobiles?|cell|cellphone|call(?:ed|ing)?|fax|desk|office|whatsapp|sms"
    r"|dial|hotline|answer(?:s|ing)?|telefon\w*|handy\w*|mobil\w*|rufnummer|anrufen|portable|m[óo]vil"
    r"|t[ée]l[ée]phone|tel[ée]fono|celular|cellulare|telefoon\w*|telefone)\b|\btel[.:]|☎|📞"
    r"|(?:phone|mobile|fax|tel)(?:_?(?:number|no))?[\"'_:])[^\n]{0,24}\Z",
    re.IGNORECASE,
)
WEAK = re.compile(
    r"\b(?:texts?|messages?|ring|contact|reach|registered|numbers?|numero)\b[^\n]{0,20}\Z",
    re.IGNORECASE,
)
"""These tell it only of what is parted as phone numbers are."""
PARTED = re.compile(r"\+?\(?\d{2,5}\)?(?:[ /-]\d{2,5}){2,5}|0\d{9,10}|0\d{2,4}[ /-]\d{5,8}")
BEHIND = re.compile(r"[ -]{0,2}(?:office|fax|mobile|home|work|cell)\b", re.IGNORECASE)
NUMBER = re.compile(
    r"(?<![\w./+-])(?<!\d,)(?:\(?\+|00)?\(?\d(?:[ \u00a0./-]{0,2}\(?\d\)?){5,18}+"
    r"(?:[ ,]{0,2}(?:x|ext\.?|extension)\s?\d{1,6})?+(?![\w%])",
    re.IGNORECASE,
)
NORTH_AMERICAN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])\d{3}[.-]\d{4}(?:x\d{1,6})?"
    r"|(?:001|\+1|1)[.-]\d{3}[.-]\d{3}[.-]\d{4}(?:x\d{1,6})?"
)
OTHER = re.compile(
    r"(?:19|20)\d{2}[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}(?!\d)"
    r"|(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|^\d+\.\d+$"
)
"""Dates, addresses of hosts, decimals."""
MOST_PARSED = 200
"""Numbers of a text that are looked up (80 µs each); more than that are taken by their form."""


def phones(text: str, first: int, last: int, budget: list[int]) -> Iterator[Mention]:
    """`budget`: how many numbers may still be looked up."""
    for found in NUMBER.finditer(text, first, last):
        start, end = found.span()
        number = found[0]
        digits = sum(char.isdigit() for char in number)
        if not 7 <= digits <= 21 or (number[0] != "+" and OTHER.search(number)):
            continue
        international = number.startswith(("+", "(+", "00")) and digits >= 9
        if international:
            budget[0] -= 1
            if budget[0] < 0 or _exists(number):
                yield Mention(start, end, "phone", "a phone number", 0.9, "medium")
                continue
        if NORTH_AMERICAN.fullmatch(number):
            yield Mention(start, end, "phone", "a phone number", 0.8, "medium")
        elif digits <= 15 and _is_told(text, start, end):
            yield Mention(start, end, "phone", "a phone number", 0.7, "medium")


def _is_told(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - BEFORE) : start]
    if WORDS.search(before) or BEHIND.match(text, end):
        return True
    return bool(WEAK.search(before) and PARTED.fullmatch(text, start, end))


def _exists(number: str) -> bool:
    """Has a country given out such numbers?"""
    import phonenumbers

    number = "+" + number[2:] if number.startswith("00") else number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(parsed))
