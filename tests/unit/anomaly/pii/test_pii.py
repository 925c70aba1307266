"""What is about persons is found, and what only has digits is left alone."""

import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.pii.accounts import LENGTHS
from llmproxy_core.anomaly.pii.detector import Pii
from tests.unit.anomaly.guard_corpus import rows

PII = Pii()
LABELS = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us-ssn",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
}


def found(text: str) -> list[tuple[str, str]]:
    return [(one.detector[4:], text[one.start : one.end]) for one in PII.find(Text(text))]


def kinds(text: str) -> set[str]:
    return {one.detector[4:] for one in PII.find(Text(text))}


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def cards(rng: random.Random) -> list[str]:
    """One of each issuer, with its check digit."""
    starts = [("4", 16), ("51", 16), ("2345", 16), ("34", 15), ("37", 15), ("305", 14), ("36", 14)]
    starts += [("6011", 16), ("65", 16), ("3530", 16), ("2131", 15), ("62", 16)]
    numbers = [start + digits(rng, size - len(start) - 1) for start, size in starts]
    return [number + luhn.calc_check_digit(number) for number in numbers]


def account(rng: random.Random, country: str) -> str:
    rest = digits(rng, LENGTHS[country] - 4)
    return f"{country}{iban.calc_check_digits(country + '00' + rest)}{rest}"


@pytest.mark.parametrize("place", ["{}", '{{"number": "{}"}}', "pay with {} today", "card={};"])
def test_cards_of_all_issuers_are_found(place: str):
    rng = random.Random(1)
    for number in (one for _ in range(20) for one in cards(rng)):
        assert ("card", number) in found(place.format(number))


def test_a_card_in_groups_is_found():
    assert found("4556 7375 8689 9855") == [("card", "4556 7375 8689 9855")]
    assert found("3782-822463-10005 (Amex)")[0][0] == "card"


@given(st.integers(10**15, 10**16 - 1))
def test_sixteen_digits_without_a_check_digit_are_no_card(number: int):
    if not luhn.is_valid(str(number)):
        assert "card" not in kinds(f"card {number}")


@pytest.mark.parametrize("text", ["id=1700000000000", "0.4556737586899855", "v4556737586899855x"])
def test_timestamps_fractions_and_parts_of_words_are_no_cards(text: str):
    assert "card" not in kinds(text)


def test_account_numbers_of_all_countries_are_found_with_blanks_and_without():
    rng = random.Random(2)
    for country in LENGTHS:
        number = account(rng, country)
        grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        assert found(f"IBAN {number}.") == [("iban", number)]
        assert found(f"to {grouped}, please") == [("iban", grouped)]


def test_an_account_number_with_a_wrong_digit_is_none():
    assert "iban" not in kinds("DE89370400440532013001")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SSN: 536-90-4399", "us-ssn"),
        ("Steuer-ID 36574261809", "de-idnr"),
        ("36 574 261 809", "de-idnr"),
        ("NIR 2 95 10 99 126 111 93", "fr-nir"),
        ("DNI 54362315K", "es-dni"),
        ("X2482300W", "es-nie"),
        ("codice fiscale RCCMNL83S18D969H", "it-codice-fiscale"),
        ("BSN 111222333", "nl-bsn"),
        ("NHS number 943 476 5870", "gb-nhs"),
        ("PESEL 44051401359", "pl-pesel"),
        ("CPF 390.533.447-05", "br-cpf"),
        ("Aadhaar 2341 2341 2346", "in-aadhaar"),
        ("personnummer 880320-0016", "se-personnummer"),
        ("131052-308T", "fi-hetu"),
        ("AHV 756.9217.0769.85", "ch-ahv"),
        ("rodné číslo 710319/2745", "cz-rc"),
        ("身份证 360426199101010071", "cn-ric"),
        ("BOXW310820HNERXN09", "mx-curp"),
    ],
)
def test_numbers_of_persons_are_found(text: str, kind: str):
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text", ["BSN 111222334", "Steuer-ID 36574261808", "X2482300A", "CPF 390.533.447-06"]
)
def test_with_a_wrong_check_digit_they_are_none(text: str):
    assert kinds(text) <= {"phone"}


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958",
        "+49 (0)30 901820",
        "001-667-336-1604x924",
        "(602) 272-9781",
        "338-985-7168x861",
        "tel. 030 901820",
        'phone": "01614960381',
        "mobile: 078 8098 1119",
    ],
)
def test_phone_numbers_are_found(text: str):
    assert "phone" in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "order no. 931710-1655",
        "2023-10-01 12:00:00 192.168.1.1 User logged in",
        "1700000000 and 1234567890",
        "pi is 3.14159265358979",
        "version 10.15.7.12345",
        "commit 4917054 fix",
        "127.0.0.1:8080",
    ],
)
def test_other_numbers_are_no_phones(text: str):
    assert kinds(text) == set()


def test_mail_addresses_are_found_and_files_and_nobody_are_not():
    assert found("mail jo.doe+x@mail.acme.test!") == [("email", "jo.doe+x@mail.acme.test")]
    for text in (
        "logo@2x.png",
        "git@github.com:a/b",
        "noreply@acme.test",
        "pkg@1.2.3",
        "@decorated",
        "a@b",
    ):
        assert kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "857 Lawrence Route, Valenzuelaview, WI 39297",
        "Flat 50, Armstrong Port, Huntton, IP16 9GP",
        "Hauptstraße 12a, 10115 Berlin",
        "12 bis, rue de la République, 75001 Paris",
        "Calle de Alcalá 45, 28014 Madrid",
        "Via Roma 12, 00184 Roma",
        "Keizersgracht 123, 1015 CJ Amsterdam",
    ],
)
def test_addresses_of_six_countries_are_found(text: str):
    assert found(f"Send it to {text}.")[0][0] == "address"


def test_records_of_the_corpus_lose_nothing():
    for row in rows("Faker records"):
        text = str(row["text"])
        spans = [(one.start, one.end) for one in PII.find(Text(text))]
        for key, value in json.loads(text)["customer"].items():
            if key in ("card", "iban", "email", "phone"):
                start = text.index(value)
                assert any(a <= start and b >= start + len(value) for a, b in spans), (key, value)


def test_sentences_of_the_corpus_keep_no_number_with_a_check_digit():
    asked = missed = 0
    for row in rows("presidio-research synth_v2"):
        for label in str(row["sub"]).split("+"):
            if label in ("CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "US_SSN"):
                asked += 1
                missed += LABELS[label] not in kinds(str(row["text"]))
    assert asked > 90
    assert missed == 0


@given(st.text(st.sampled_from("0123456789 -.+()/@abXYZ,\n"), max_size=300))
def test_nothing_is_raised_and_findings_are_in_order_and_apart(text: str):
    spans = [(one.start, one.end) for one in PII.find(Text(text))]
    assert spans == sorted(spans)
    assert all(a < b for a, b in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
