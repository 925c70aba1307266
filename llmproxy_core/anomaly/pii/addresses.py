"""Postal addresses: around a postcode, a street with a number, as six countries write them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from llmproxy_core.anomaly.pii.mention import Mention

REACH = 110
"""Characters before a postcode in which its street must begin."""
ANCHOR = re.compile(r"\d(?:(?<!\d\d)\d{3,4}(?!\d)|[A-Z]{2}\b)")
"""In every postcode: digits, or the second half of a British one."""
ASCII_ANCHOR = re.compile(ANCHOR.pattern.replace(r"\d", "[0-9]"))
"""The same, three times as fast, for a text without other digits."""
CITY = re.compile(r"[^\W\d_]{0,30}(?:-[^\W\d_]{1,30}){0,3}")
"""The rest of a town's name; matches always."""
AROUND = 10
"""Characters around an anchor in which all of the postcode is."""


class Style(NamedTuple):
    """`code` is searched near an anchor; `street` is matched up to its beginning."""

    code: re.Pattern[str]
    street: re.Pattern[str]


_NAME = r"[^\W\d_][\w'\u2019.-]{0,30}"
_REST = r"[\w'.-]{1,30}"
STYLES = (
    Style(  # 17611 Robbins Mission Apt. 4, New Curtis, PR 49326
        re.compile(r"\b(?:A[ALKZREP]|C[AOT]|D[EC]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]"
                   r"|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]|AS|MP)"
                   r",? \d{5}(?:-\d{4})?\b"),
        re.compile(rf"\b\d{{1,6}}[A-Za-z]? (?:{_NAME}[ ,\n]+){{1,9}}(?:#?\d{{1,5}}[A-Za-z]?[ ,\n]+)?"
                   rf"(?:{_NAME}[ ,\n]+){{0,5}}\Z|\b(?:USNS|USS|USNV|USCGC|PSC|Unit)\b[^\n]{{2,40}}\Z"),
    ),
    Style(  # Flat 50, 4 Fisher Ford, East Martynbury, DA3X 7YS
        re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"),
        re.compile(rf"(?:\b(?:Flat|Studio|Unit|Apartment)\s\d{{1,4}}\w?[ ,\n]+)?(?:\b\d{{1,5}}[A-Za-z]?[ ,]+)?"
                   rf"(?:{_NAME}[ ,\n]+){{2,8}}\Z"),
    ),
    Style(  # Hauptstraße 12a, 10115 Berlin
        re.compile(r"\b(?:D-|A-|CH-)?\d{4,5} [A-ZÄÖÜ][a-zäöüß]"),
        re.compile(rf"\b(?:{_NAME}[ -]){{0,4}}[A-ZÄÖÜa-zäöüß-]*(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse"
                   r"|ring|ufer|damm|markt|Straße|Strasse|Weg|Platz|Allee)\s\d{1,4}\s?[a-zA-Z]?[ ,\n]+\Z"),
    ),
    Style(  # 12 bis, rue de la République, 75001 Paris
        re.compile(r"\b(?:F-)?\d{5} [A-ZÉÈÎ]"),
        re.compile(r"\b\d{1,4}(?: ?bis| ?ter)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|all[ée]e|impasse"
                   rf"|quai|cours|route|square)\s(?:{_NAME}[ ,\n]+){{1,8}}\Z", re.IGNORECASE),
    ),
    Style(  # Calle de Alcalá 45, 2º B, 28014 Madrid; Via Roma 12, 00184 Roma
        re.compile(r"\b\d{5} [A-ZÁÉÍÓÚÑ]"),
        re.compile(r"\b(?:calle|c/|avenida|avda\.?|plaza|paseo|ronda|via|viale|piazza|corso|vicolo|largo)\s?"
                   rf"(?:{_NAME}[ ,]+){{1,6}}(?:n[.º°]? ?)?\d{{1,4}}[^\n\d]{{0,14}}\d{{0,2}}[^\n\d]{{0,6}}\Z",
                   re.IGNORECASE),
    ),
    Style(  # Keizersgracht 123-B, 1015 CJ Amsterdam
        re.compile(r"\b[1-9]\d{3} ?[A-Z]{2}\b"),
        re.compile(r"\b(?:[A-Z][\w'\u2019-]* ){0,3}[A-Z][\w'\u2019-]*(?:straat|laan|weg|plein|gracht|kade|dijk|singel|hof"
                   r"|pad)\s\d{1,5}[ -]?\w{0,3}[ ,\n]+\Z"),
    ),
    Style(  # Stollgasse 3/6, 39441 Neunburg; Contrada Clelia, 5 Piano 4, 42041, Brescello
        re.compile(r"\b\d{5},? [A-ZÀ-Ž]|\b[1-9]\d{3} ?[A-Z]{2}\b"),
        re.compile(rf"\b[A-ZÀ-Ž]{_REST}(?:[ -]{_NAME}){{0,4}},? \d{{1,4}} ?[A-Za-z]?(?:[/-]\d{{1,3}})?"
                   r"(?: [A-Z][a-z.]{2,9} \d{1,3})? ?,[ \n]+\Z"),
    ),
    Style(  # Alameda Isabel Andrade 39 Puerta 5, Teruel, 43959
        re.compile(r"(?<=, )\d{5}\b"),
        re.compile(rf"\b[A-ZÀ-Ž]{_REST}(?: {_NAME}){{1,5}} \d{{1,4}}(?: [A-Z][a-z.]{{2,9}} \d{{1,3}})? ?, "
                   rf"[A-ZÀ-Ž]{_REST}(?:[ -]{_NAME}){{0,3}}, \Z"),
    ),
)  # fmt: skip


CODE = re.compile("|".join(f"(?:{style.code.pattern})" for style in STYLES))
"""A postcode of any of them."""


def addresses(text: str, *, ascii: bool = False) -> Iterator[Mention]:
    """`ascii`: all digits of the text are."""
    last = 0
    for anchor in (ASCII_ANCHOR if ascii else ANCHOR).finditer(text):
        if anchor.start() < last or not _has_a_town(text, anchor):
            continue
        written = _written(text, last, anchor)
        if written is not None:
            yield Mention(*written, "address", "a postal address", 0.6, "low")
            last = written[1]


def _has_a_town(text: str, anchor: re.Match[str]) -> bool:
    """Are there letters in it or beside it, or a comma before it?"""
    if anchor[0][-1].isalpha():
        return True
    before = text[max(0, anchor.start() - 3) : anchor.start()]
    beside = before + text[anchor.end() : anchor.end() + 3]
    return before.endswith(", ") or any(map(str.isalpha, beside))


def _written(text: str, last: int, anchor: re.Match[str]) -> tuple[int, int] | None:
    first, end = max(last, anchor.start() - AROUND), anchor.end() + AROUND
    if not CODE.search(text, first, end):
        return None
    for style in STYLES:
        code = style.code.search(text, first, end)
        if code is None or not code.start() <= anchor.start() < code.end():
            continue
        start = max(last, code.start() - REACH)
        street = style.street.search(text[start : code.start()])
        if street is not None:
            return start + street.start(), CITY.match(text, code.end()).end()  # type: ignore[union-attr]
    return None
