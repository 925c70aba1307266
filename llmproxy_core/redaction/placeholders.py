"""What a provider gets in the place of a value: of the same shape, so that models and checks of
formats can handle it, and made with the home's key, so that nobody else can make it.

    anna@example.org            user-k3f9x2abqz@redacted.invalid
    +1 (415) 555-0123           +9 (803) 117-4405          digits for digits, also in other numbers
    4929 8273 4418 0019         9417 0026 5583 1747        with the check digit of a card
    DE89 3704 0044 0532 0130 00 ZZ47 9114 8820 6651 0093 27   with the check digits of an account
    (a key, a password)         SECRET_k3f9x2abqz

The same value has the same placeholder for ever, in one namespace; so prompt caches hold, and no
table is needed. None has a character that JSON would have to escape.
"""

import re
from base64 import b32encode
from hashlib import blake2b
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

from llmproxy_core.anomaly.pii.accounts import remainder
from llmproxy_core.anomaly.pii.cards import luhn
from llmproxy_core.masking.masker import Secret

CODE = 10
"""Characters of base32: 50 bits."""
LEAST = 7
"""Letters and digits of a value that keeps its shape: fewer would soon be those of another."""
EMAIL = re.compile(r"[^@\s\"'<>]+@[^@\s\"'<>]+\.[A-Za-z]{2,24}")
NUMBER = re.compile(r"[(+]{0,2}\d[\d .()/+-]*")
SHAPED = re.compile(r"[A-Za-z0-9 ./+()-]+")
ACCOUNT = re.compile(r"[A-Za-z]{2}\d{2}[A-Za-z0-9 -]{10,}")
WORDS = {"secret": "SECRET", "pii": "PERSONAL"}
"""By the family of what was found."""
OF_PERSONS = {
    "address": "ADDRESS",
    "email": "EMAIL",
    "phone": "PHONE",
    "card": "CARD",
    "iban": "IBAN",
}
"""By its kind; other numbers of persons are `ID`."""
ASCII_ONLY = re.compile(r"[^A-Za-z0-9]")


class Placeholders:
    """Of one namespace. `key`: 32 bytes, the home's."""

    def __init__(self, key: bytes, namespace: str) -> None:
        space = blake2b(namespace.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        self._keyed = blake2b(key=key, salt=space, person=b"llmproxy-wire", digest_size=64)

    def of(self, secret: Secret, again: int = 0) -> str:
        """`again`: another one, because the first is there already."""
        family, _, kind = secret.label.partition(":")
        value = secret.value
        if EMAIL.fullmatch(value):
            return f"user-{self._code(value, again)}@redacted.invalid"
        if kind == "iban" and ACCOUNT.fullmatch(value):
            return _account(self._shaped(value, again))
        if _counted(value) >= LEAST:
            if NUMBER.fullmatch(value):
                shaped = self._shaped(value, again)
                return _card(shaped) if kind == "card" else shaped
            if family == "pii" and kind not in OF_PERSONS and SHAPED.fullmatch(value):
                return self._shaped(value, again)
        return f"{word(secret.label)}_{self._code(value, again)}"

    def coded(self, spelled: str, again: int = 0) -> str:
        """For a value that stands there in an encoding, which stays one of the same length."""
        letters = "0123456789abcdef" if _hexadecimal(spelled) else ascii_letters + digits
        noise = self._noise(spelled, again, len(spelled))
        return "".join(letters[at % len(letters)] for at in noise)

    def _code(self, value: str, again: int) -> str:
        return b32encode(self._digest(value, again, 0)).decode().lower()[:CODE]

    def _shaped(self, value: str, again: int) -> str:
        """Digits for digits, letters for letters; the first digit is a 9. What parts them has no
        say, so that a number written in several ways stays the same number."""
        plain = ASCII_ONLY.sub("", value).upper()
        noise = self._noise(plain, again, len(plain))
        shaped, at, led = [], 0, False
        for char in value:
            if not (char.isascii() and char.isalnum()):
                shaped.append(char)
                continue
            letters = digits if char.isdigit() else ascii_uppercase
            letters = ascii_lowercase if char.islower() else letters
            one = letters[noise[at] % len(letters)]
            shaped.append("9" if char.isdigit() and not led else one)
            led = led or char.isdigit()
            at += 1
        return "".join(shaped)

    def _noise(self, value: str, again: int, size: int) -> bytes:
        parts = (self._digest(value, again, part) for part in range(1, 2 + size // 64))
        return b"".join(parts)[:size]

    def _digest(self, value: str, again: int, part: int) -> bytes:
        hashed = self._keyed.copy()
        hashed.update(b"%d %d " % (again, part) + value.encode("utf-8", "surrogatepass"))
        return hashed.digest()


def word(label: str) -> str:
    """What a placeholder without a shape of its own begins with."""
    family, _, kind = label.partition(":")
    if family == "pii":
        return OF_PERSONS.get(kind, "ID")
    return WORDS.get(family, "REDACTED")


def _counted(value: str) -> int:
    return len(ASCII_ONLY.sub("", value))


def _hexadecimal(spelled: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]+", spelled) is not None


def _card(number: str) -> str:
    """With the last digit that a card would have."""
    plain = ASCII_ONLY.sub("", number)
    last = next(char for char in digits if luhn(plain[:-1] + char))
    return number[:-1] + last if number[-1].isdigit() else number


def _account(number: str) -> str:
    """With the check digits that an account of no country would have."""
    odd = "ZZ00" + number[4:]
    check = 98 - (remainder(odd) or 0)
    return f"ZZ{check:02d}" + number[4:]
