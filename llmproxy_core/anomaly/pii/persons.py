"""Numbers that states give to persons, by their form and their check digits (python-stdnum).

A number whose form and checks leave little to chance is found as it stands; for others the words
around it have to tell what it is.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from llmproxy_core.anomaly.pii.mention import AFTER, BEFORE, Mention, told

PERSONAL = (
    r"ssn|personal[\s_-]?(?:id|number|code)|national[\s_-]?(?:id|number|insurance)|identity[\s_-]?(?:card"
    r"|number)|id[\s_-]?(?:card|number|no)|tax[\s_-]?(?:id|number|payer\w*)|social[\s_-]?security|citizen"
    r"|passport|ausweis|steuer\w*|identi\w*"
)


class _Checks(Protocol):
    def is_valid(self, number: str) -> bool: ...


class Number(NamedTuple):
    """`module`: of stdnum. `sure`: the form in which it needs no words around it ("": none)."""

    kind: str
    what: str
    module: str
    form: str
    words: str
    sure: str = ""


NUMBERS = (
    Number("us-ssn", "a US social security number", "us.ssn", r"\d{3}-\d{2}-\d{4}|\d{9}", r"ssn|social",
           r"\d{3}-\d{2}-\d{4}"),
    Number("us-itin", "a US taxpayer number", "us.itin", r"9\d{2}-\d{2}-\d{4}", r"itin|taxpayer"),
    Number("de-idnr", "a German tax id", "de.idnr", r"\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}",
           r"steuer|idnr|tin|identifikationsnummer", r"\d{2} \d{3} \d{3} \d{3}"),
    Number("fr-nir", "a French social security number", "fr.nir",
           r"[12][ ]?\d{2}[ ]?\d{2}[ ]?(?:\d{2}|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}", r"nir|s[ée]cu|insee",
           r".*"),
    Number("es-dni", "a Spanish identity number", "es.dni", r"\d{8}[ -]?[A-Za-z]", r"dni|nif", r".*[A-Z]"),
    Number("es-nie", "a Spanish number of a foreigner", "es.nie", r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]",
           r"nie", r"[XYZ].*"),
    Number("it-codice-fiscale", "an Italian tax code", "it.codicefiscale",
           r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]", r"fiscale", r".*"),
    Number("nl-bsn", "a Dutch citizen number", "nl.bsn", r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}",
           r"bsn|burgerservice\w*|sofi"),
    Number("gb-nhs", "a UK NHS number", "gb.nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", r"nhs|patient"),
    Number("pl-pesel", "a Polish PESEL", "pl.pesel", r"\d{11}", r"pesel", r"\d{11}"),
    Number("br-cpf", "a Brazilian CPF", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", r"cpf",
           r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    Number("in-aadhaar", "an Indian Aadhaar number", "in_.aadhaar", r"\d{4}[ -]?\d{4}[ -]?\d{4}",
           r"aadha?ar|uid", r"\d{4} \d{4} \d{4}"),
    Number("se-personnummer", "a Swedish personal number", "se.personnummer",
           r"(?:19|20)?\d{6}[-+]?\d{4}", r"personnummer", r"(?:19|20)?\d{6}[-+]\d{4}"),
    Number("fi-hetu", "a Finnish personal id", "fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", r"hetu", r".*"),
    Number("dk-cpr", "a Danish CPR number", "dk.cpr", r"\d{6}[- ]?\d{4}", r"cpr"),
    Number("no-fodselsnummer", "a Norwegian birth number", "no.fodselsnummer", r"\d{6}[ ]?\d{5}",
           r"f[øo]dselsnummer|fnr", r".*"),
    Number("cz-rc", "a Czech or Slovak birth number", "cz.rc", r"\d{6}/\d{3,4}", r"rodn", r"\d{6}/\d{4}"),
    Number("pt-nif", "a Portuguese tax number", "pt.nif", r"\d{3}[ ]?\d{3}[ ]?\d{3}", r"nif|contribuinte"),
    Number("ch-ahv", "a Swiss AHV number", "ch.ssn", r"756\.?\d{4}\.?\d{4}\.?\d{2}", r"ahv|avs", r".*"),
    Number("at-svnr", "an Austrian insurance number", "at.vnr", r"\d{4}[ ]?\d{6}",
           r"svnr|sozialversicherung\w*|versicherungsnummer"),
    Number("be-nn", "a Belgian national number", "be.nn", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}",
           r"rijksregister\w*|national|nrn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    Number("ie-pps", "an Irish PPS number", "ie.pps", r"\d{7}[A-Wa-w][A-Ia-iWw]?", r"pps\w*"),
    Number("ca-sin", "a Canadian insurance number", "ca.sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}",
           r"sin|social insurance"),
    Number("au-tfn", "an Australian tax number", "au.tfn", r"\d{3}[ ]?\d{3}[ ]?\d{2,3}", r"tfn|tax file"),
    Number("kr-rrn", "a Korean registration number", "kr.rrn", r"\d{6}-\d{7}", r"rrn|resident", r".*"),
    Number("cn-ric", "a Chinese identity number", "cn.ric", r"\d{17}[\dXx]", r"身份证|resident", r".*"),
    Number("za-id", "a South African identity number", "za.idnr", r"\d{13}", r"south african|said"),
    Number("tr-kimlik", "a Turkish identity number", "tr.tckimlik", r"\d{11}", r"kimlik|tckn|t\.?c\.?"),
    Number("mx-curp", "a Mexican CURP", "mx.curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", r"curp", r".*"),
    Number("ro-cnp", "a Romanian CNP", "ro.cnp", r"[1-9]\d{12}", r"cnp|numeric personal", r".*"),
    Number("bg-egn", "a Bulgarian EGN", "bg.egn", r"\d{10}", r"egn|егн"),
    Number("hr-oib", "a Croatian OIB", "hr.oib", r"\d{11}", r"oib"),
    Number("ee-ik", "an Estonian personal code", "ee.ik", r"\d{11}", r"isikukood"),
    Number("lt-asmens", "a Lithuanian personal code", "lt.asmens", r"\d{11}", r"asmens"),
    Number("cl-rut", "a Chilean RUT", "cl.rut", r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]", r"rut|run",
           r"\d{1,2}\.\d{3}\.\d{3}-[\dK]"),
    Number("il-idnr", "an Israeli identity number", "il.idnr", r"\d{9}", r"teudat|israel\w*|תעודת"),
    Number("is-kennitala", "an Icelandic id", "is_.kennitala", r"\d{6}-?\d{4}", r"kennitala"),
    Number("gr-amka", "a Greek AMKA", "gr.amka", r"\d{11}", r"amka"),
    Number("th-pin", "a Thai identity number", "th.pin", r"\d-?\d{4}-?\d{5}-?\d{2}-?\d", r"thai\w*|บัตร",
           r"\d-\d{4}-\d{5}-\d{2}-\d"),
    Number("my-nric", "a Malaysian identity number", "my.nric", r"\d{6}-\d{2}-\d{4}", r"nric|mykad", r".*"),
    Number("si-emso", "a Slovenian EMŠO", "si.emso", r"\d{13}", r"em[šs]o|jmbg"),
)  # fmt: skip
START = re.compile(r"(?<![\w.+/-])(?:\d(?!\d{0,2}\.\d{5})|[A-Za-z]{1,6}(?=[ -]?\d))")
"""Where such a number may begin."""
END = r"(?![A-Za-z0-9]|[_-][A-Za-z0-9])"
LETTERS = re.compile(r"[^\W\d_]{3}|[^\x00-\x7f]{2}")
"""Without these near it no word tells what a number is."""
DOCUMENT = re.compile(
    r"\b(?:driv(?:er'?s?|ing)\s+licen[cs]e|passport|reisepass|f[üu]hrerschein)\b[^\d\n]{0,24}?"
    r"(?P<number>[A-Z]{0,3}\d[\d -]{3,16}\d)(?!\w)"
    r"|\b(?:ssn|social security)\b[^\d\n]{0,24}?(?P<social>\d{3}-\d{2}-\d{4})(?!\w)"
    r"|\b(?:ssn|nino|national insurance)\b[^\d\n]{0,24}?"
    r"(?P<insured>(?<![A-Z])[A-Z]{2} ?(?:\d{2} ?){3}[A-Z])(?!\w)",
    re.IGNORECASE,
)
"""Numbers without check digits, told by what they are called."""
NAMING = ("driv", "passport", "reisepass", "fuhrerschein", "ssn", "social", "nino", "national")
"""One of these is in every match that is ASCII."""
TOLD = {
    "number": ("document", "a number of an identity document"),
    "social": ("us-ssn", "a US social security number"),
    "insured": ("gb-nino", "a UK national insurance number"),
}
LEAST, MOST = 7, 25
"""Characters of such a number, with what parts it."""


def persons(text: str, start: int, end: int) -> Iterator[Mention]:
    documents = DOCUMENT.finditer(text, start, end) if _may_name(text[start:end]) else ()
    for document in documents:
        group = document.lastgroup or ""
        kind, what = TOLD[group]
        yield Mention(*document.span(group), kind, what, 0.8, "high")
    at = start
    for found in START.finditer(text, start, end):
        if found.start() >= at and (mention := _first(text, found.start(), end)):
            yield mention
            at = mention.end


def _may_name(text: str) -> bool:
    """May DOCUMENT match in it? Of a text that is not ASCII its patterns know more than these words."""
    if not text.isascii():
        return True
    text = text.lower()
    return any(word in text for word in NAMING)


def _first(text: str, start: int, end: int) -> Mention | None:
    end = min(end, start + MOST)
    if not _any_shape(False).match(text, start, end):
        return None
    is_told = _has_words(text, start, end)
    if not (is_told or _any_shape(True).match(text, start, end)):
        return None
    for shape, numbers in _by_shape(not is_told):
        found = shape.match(text, start, end)
        if found is None or found.end() - start < LEAST:
            continue
        for number in numbers:
            mention = _checked(number, text, start, found.end())
            if mention is not None:
                return mention
    return None


def _checked(number: Number, text: str, start: int, end: int) -> Mention | None:
    value = text[start:end]
    if len(set(value) - set(" .-/")) < 3:
        return None
    sure = bool(number.sure and re.fullmatch(number.sure, value))
    if not (sure or told(_words(number.words), text, start, end)):
        return None
    if not _module(number.module).is_valid(value):
        return None
    return Mention(start, end, number.kind, number.what, 0.95 if sure else 0.85, "high")


def _has_words(text: str, start: int, end: int) -> bool:
    """May any words near it tell what it is?"""
    first = max(0, start - BEFORE)
    if not (LETTERS.search(text, first, start) or LETTERS.search(text, start, end + AFTER)):
        return False
    return bool(
        _words("|".join(number.words for number in NUMBERS)).search(text, first, end + AFTER)
    )


@cache
def _any_shape(sure: bool) -> re.Pattern[str]:
    """Each form once: several numbers share one. `sure`: the forms that need no words."""
    forms = dict.fromkeys(_form(number, sure) for number in _numbers(sure))
    return re.compile("|".join(f"(?:{form}){END}" for form in forms))


@cache
def _by_shape(sure: bool) -> tuple[tuple[re.Pattern[str], tuple[Number, ...]], ...]:
    shapes: dict[str, list[Number]] = {}
    for number in _numbers(sure):
        shapes.setdefault(_form(number, sure), []).append(number)
    return tuple((re.compile(f"(?:{form}){END}"), tuple(some)) for form, some in shapes.items())


def _numbers(sure: bool) -> list[Number]:
    return [number for number in NUMBERS if number.sure or not sure]


def _form(number: Number, sure: bool) -> str:
    return number.sure if sure and not number.sure.startswith((".*", "[XYZ].*")) else number.form


@cache
def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{words}|{PERSONAL})(?![a-z])", re.IGNORECASE)


@cache
def _module(name: str) -> _Checks:
    return cast(_Checks, import_module(f"stdnum.{name}"))
