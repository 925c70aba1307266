"""International bank account numbers: the country's length, and the remainder by 97."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.pii.mention import Mention, told

START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}[ -]?(?=[A-Za-z0-9]{4})")
ODD = re.compile(r"[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}(?![A-Za-z0-9])")
WORDS = re.compile(r"iban|account|konto|cuenta|compte|conto", re.IGNORECASE)
"""With one of these near it, a number may have a length that its country does not use."""
_LENGTHS = (
    "15:NO 16:BE 18:DK,FI,FO,GL,NL,SD 19:MK,SI 20:AT,BA,EE,KZ,LT,LU,XK,MN 21:CH,HR,LI,LV"
    " 22:BG,BH,CR,DE,GB,GE,IE,ME,RS,VA 23:AE,GI,IL,IQ,OM,SO,TL 24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG"
    " 25:PT,ST,LY 26:IS,TR 27:BI,DJ,FR,GR,IT,MC,MR,SM 28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV"
    " 29:BR,EG,PS,QA,UA 30:JO,KW,MU,YE 31:MT,SC 32:LC 33:RU"
)
LENGTHS = {
    code: int(length)
    for length, codes in (row.split(":") for row in _LENGTHS.split())
    for code in codes.split(",")
}
"""Characters of an account's number by country: SWIFT's IBAN registry."""


def accounts(text: str, start: int, end: int) -> Iterator[Mention]:
    at = start
    while found := START.search(text, at, end):
        at = found.end()
        length = LENGTHS.get(found[0][:2].upper())
        last = _end(text, found.start(), length) if length else None
        if last is None and (odd := ODD.match(text, found.start())) and _is_told(text, odd):
            last = odd.end()
        if last is not None and remainder(text[found.start() : last]) == 1:
            yield Mention(found.start(), last, "iban", "a bank account number (IBAN)", 0.98, "high")
            at = last


def _end(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits end, blanks and hyphens between them not counted."""
    at = start
    for _ in range(length):
        if at < len(text) and text[at] in " -" and at > start:
            at += 1
        if at == len(text) or not (text[at].isascii() and text[at].isalnum()):
            return None
        at += 1
    return None if at < len(text) and text[at].isalnum() else at


def _is_told(text: str, odd: re.Match[str]) -> bool:
    return told(WORDS, text, odd.start(), odd.end())


def remainder(text: str) -> int | None:
    """By 97; 1 for an account's number."""
    compact = text.replace(" ", "").replace("-", "").upper()
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 if turned.isascii() else None
