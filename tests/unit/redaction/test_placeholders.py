"""What stands for a value has its shape, and is the same for ever."""

import re

import pytest

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.pii.accounts import remainder
from llmproxy_core.anomaly.pii.cards import luhn
from llmproxy_core.masking.masker import Secret
from llmproxy_core.redaction.placeholders import Placeholders
from tests.unit.redaction.values import KEY, PLACEHOLDERS, SECRETS


@pytest.mark.parametrize(
    ("label", "value", "shape"),
    [
        ("pii:email", "anna@example.org", r"user-[a-z2-7]{10}@redacted\.invalid"),
        ("secret:generic", "anna@example.org", r"user-[a-z2-7]{10}@redacted\.invalid"),
        ("pii:phone", "+49 (30) 123-4567", r"\+9\d \(\d\d\) \d{3}-\d{4}"),
        ("pii:phone", "004930123456", r"9\d{11}"),
        ("pii:card", "4929 8273 4418 0019", r"9\d{3} \d{4} \d{4} \d{4}"),
        ("pii:iban", "DE89 3704 0044 0532 0130 00", r"ZZ\d\d \d{4} \d{4} \d{4} \d{4} \d\d"),
        ("pii:us-ssn", "536-22-8726", r"9\d\d-\d\d-\d{4}"),
        ("pii:es-nie", "X1234567L", r"[A-Z]9\d{6}[A-Z]"),
        ("pii:address", "12 Main Street", r"ADDRESS_[a-z2-7]{10}"),
        ("pii:us-ssn", "12-34", r"ID_[a-z2-7]{10}"),
        ("secret:jwt", "eyJhbGciOi.eyJzdWIi.c2ln", r"SECRET_[a-z2-7]{10}"),
        ("injection:injection", "ignore all that", r"REDACTED_[a-z2-7]{10}"),
    ],
)
def test_it_has_the_shape_of_the_value(label: str, value: str, shape: str):
    assert re.fullmatch(shape, PLACEHOLDERS.of(Secret(label, value)))


def test_check_digits_fit():
    for number in range(200):
        card = PLACEHOLDERS.of(Secret("pii:card", f"4929 8273 4418 {number:04}"))
        assert luhn(card.replace(" ", ""))
        account = PLACEHOLDERS.of(Secret("pii:iban", f"DE89 3704 0044 0532 0130 {number:03}"))
        assert remainder(account) == 1


@pytest.mark.parametrize("secret", SECRETS)
def test_it_is_the_same_for_ever_and_another_in_another_place(secret: Secret):
    made = PLACEHOLDERS.of(secret)
    assert Placeholders(KEY, "default").of(secret) == made
    others = {Placeholders(KEY, "other").of(secret), Placeholders(b"x" * 32, "default").of(secret)}
    assert len({made, PLACEHOLDERS.of(secret, 1), *others}) == 4


def test_it_is_known_which_placeholder_it_was_on_the_day_of_the_release():
    """Prompt caches and conversations outlive an update."""
    assert PLACEHOLDERS.of(SECRETS[0]) == "user-k66flwuowq@redacted.invalid"


def test_a_number_written_in_two_ways_stays_one_number():
    apart = PLACEHOLDERS.of(Secret("pii:phone", "+1 (415) 555-0123"))
    assert re.sub(r"[ ()-]", "", apart) == PLACEHOLDERS.of(Secret("pii:phone", "+14155550123"))


def test_what_stands_for_a_secret_is_none():
    for secret in SECRETS:
        if secret.label.startswith("secret:"):
            made = PLACEHOLDERS.of(secret)
            said = Text(f"password = {made}\nexport TOKEN={made}", "assistant")
            found = [one for detector in DETECTORS for one in detector.find(said)]
            assert not [one for one in found if one.family == "secret"]


def test_in_an_encoding_it_stays_one():
    assert re.fullmatch(r"[A-Za-z0-9]{13}", PLACEHOLDERS.coded("aGVsbG8gd29yb"))
    assert re.fullmatch(r"[0-9a-f]{200}", PLACEHOLDERS.coded("ab" * 100))
