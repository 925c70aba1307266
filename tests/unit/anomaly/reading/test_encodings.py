import base64
import secrets
import zlib
from string import ascii_letters
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.reading.encodings import decoded

SAID = "user=jane; plan=gold"


@pytest.mark.parametrize(
    "blob",
    [
        base64.b64encode(SAID.encode()).decode(),
        base64.urlsafe_b64encode(SAID.encode()).decode().rstrip("="),
        SAID.encode().hex(),
        SAID.encode().hex().upper(),
        quote(SAID),
        base64.b32encode(SAID.encode()).decode(),
        base64.b64encode(SAID.encode().hex().encode()).decode(),
        base64.b64encode(base64.b64encode(SAID.encode())).decode(),
        quote(base64.b64encode(SAID.encode()).decode() + "="),
        base64.b64encode(SAID.encode("utf-16-le")).decode(),
        base64.b64encode(zlib.compress(SAID.encode())).decode(),
    ],
)
def test_a_text_in_disguise_is_read(blob):
    assert decoded(blob) == SAID


@pytest.mark.parametrize(
    "blob",
    [
        "",
        "short",
        "setupDevelopmentEnvironment",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a8f3c2d1-9b4e-4f6a-8c2d-1e3f5a7b9c0d",
        "20240512123456789012",
        "feature_flags_for_users",
        "the%20quick",
    ],
)
def test_names_hashes_and_numbers_are_none(blob):
    assert decoded(blob) is None


def test_bytes_by_chance_are_hardly_ever_a_text():
    found = sum(decoded(secrets.token_urlsafe(18)) is not None for _ in range(2000))
    assert found <= 2


@given(st.text(max_size=200))
def test_any_text_is_tried(text):
    decoded(text)


@given(st.text(ascii_letters, min_size=12))
def test_letters_in_base64_come_back(text):
    assert decoded(base64.b64encode(text.encode()).decode()) is not None
