"""What only looks like a secret."""

import base64
import random
import string

import pytest

from llmproxy_core.anomaly.secrets.lookalikes import (
    entropy,
    in_blob,
    is_login,
    is_placeholder,
    is_reference,
    looks_like_words,
)


def test_entropy_is_bits_a_byte():
    assert entropy(b"") == 0
    assert entropy(b"aaaa") == 0
    assert entropy(b"abcd") == 2


@pytest.mark.parametrize(
    "value",
    ["sk-xxxxxxxxxxxx", "YOUR_API_KEY", "changeme", "AKIAIOSFODNN7EXAMPLE", "fp_0123456789ab"],
)
def test_placeholders_are_known(value: str):
    assert is_placeholder(value.encode())


@pytest.mark.parametrize(
    "value",
    ["$TOKEN", "${{ x }}", 'os.environ["A"]', "/etc/ssl/a.key", "server.pem", "get(name)", "%s(a)"],
)
def test_references_are_known(value: str):
    assert is_reference(value.encode())


@pytest.mark.parametrize("value", ["getAccessToken2", "my_service_key", "text-embedding-3-small"])
def test_names_look_like_words(value: str):
    assert looks_like_words(value.encode())


def test_random_values_do_not_look_like_words():
    rng = random.Random(3)
    values = ["".join(rng.choices(string.ascii_letters + string.digits, k=24)) for _ in range(1000)]
    assert sum(looks_like_words(value.encode()) for value in values) <= 10


def test_a_login_in_base64_has_a_name_and_a_password():
    assert is_login(base64.b64encode(b"jo:secret"))
    assert not is_login(base64.b64encode(b"no colon in it"))
    assert not is_login(base64.b64encode(b"a:\x00\x01\x02"))


def test_a_piece_of_base64_has_base64_around_it():
    blob = base64.b64encode(random.Random(1).randbytes(90))
    assert in_blob(blob + b"KEY" + blob, len(blob), len(blob) + 3)
    assert not in_blob(b"/home/jo/work/KEY", 14, 17)
