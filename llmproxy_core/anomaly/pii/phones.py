"""Phone numbers: international ones by their form, others where words tell that they are one."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.pii.mention import Mention, told

WORDS = re.compile(
    r"\b(?:phones?|tel|telephones?|mobiles?|cell|cellphone|call|called|fax|desk|office|whatsapp|sms"
    r"|texts?|messages?|dial|ring|hotline|contact|reach|telefon\w*|handy\w*|mobil\w*|rufnummer|anrufen"
    r"|t[ée]l[ée]phone|portable|m[óo]vil|tel[ée]fono|celular|cellulare|telefoon\w*|telefone|numero"
    r"|numbers?)\b|\btel[.:]|(?:phone|mobile|fax|tel)(?:_?(?:number|no))?[\"'_:]|☎|📞",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"(?<![\w.,/=+-])(?:\+|00)?\(?\d(?:[ \u00a0./-]{0,2}\(?\d\)?){5,16}(?![\w%])"
    r"(?:(?:[ ,]{0,2}(?:x|ext\.?|extension)\s?)(\d{1,6}))?",
    re.IGNORECASE,
)
EXTENDED = re.compile(
    r"(?<![\w.,/=+-])(?:\+|00)?\(?\d[\d ().\u00a0/-]{6,22}?x\d{1,6}(?!\w)", re.IGNORECASE
)
NORTH_AMERICAN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])\d{3}[.-]\d{4}(?:x\d{1,6})?"
    r"|(?:001|\+1|1)[.-]\d{3}[.-]\d{3}[.-]\d{4}(?:x\d{1,6})?"
)
DATE = re.compile(
    r"(?:19|20)\d{2}[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}.*|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}.*"
    r"|\d+\.\d+\.\d+\.\d+|\d+\.\d+|(?:\d{1,3}\.){2,}\d{1,3}|(?:\d{1,3}[ ,]){1,6}\d{1,3}",
    re.DOTALL,
)
"""Dates, addresses of hosts, decimals, versions."""
MOST_PARSED = 200
"""Numbers of a text that are looked up (80 µs each); more than that are taken by their form."""


def phones(text: str) -> Iterator[Mention]:
    parsed = 0
    for start, end in _candidates(text):
        number = text[start:end]
        digits = sum(char.isdigit() for char in number)
        if not 7 <= digits <= 21:
            continue
        international = number.startswith(("+", "00")) and digits >= 9
        if international:
            parsed += 1
            if parsed > MOST_PARSED or _exists(number):
                yield Mention(start, end, "phone", "a phone number", 0.9, "medium")
                continue
        if NORTH_AMERICAN.fullmatch(number):
            yield Mention(start, end, "phone", "a phone number", 0.8, "medium")
        elif told(WORDS, text, start, end) and not DATE.fullmatch(number) and digits <= 15:
            yield Mention(start, end, "phone", "a phone number", 0.7, "medium")


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while True:
        found = NUMBER.search(text, at)
        extended = EXTENDED.search(text, at, found.end() + 8) if found else None
        if extended and found and extended.start() <= found.start():
            found = extended
        if found is None:
            return
        start, end = found.span()
        while text[end - 1] in " ./-(":
            end -= 1
        yield start, end
        at = end


def _exists(number: str) -> bool:
    """Has a country given out such numbers?"""
    import phonenumbers

    number = "+" + number[2:] if number.startswith("00") else number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(parsed))
