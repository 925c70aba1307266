"""Marks in the place of secrets."""

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masker import Masker, Secret, secrets_in

MASKER = Masker(Scrubber(b"k" * 32))
VALUES = (
    "ghp_abcDEF0123456789abcDEF0123456789zzZZ",
    'pa"ss/w\\ord+42',
    "Füße&Grüße#9",
    "key 😀 with\nlines\tand / slashes 7",
)
NUMBER = "4556737586899855"
MARK = re.compile(r"\[secret:key:fp_[0-9a-f]{12}\]")


def finding(start: int, end: int, name: str = "secrets.key") -> Finding:
    return Finding(name, "secret", 1.0, "high", start, end, "")


def masked(body: str | bytes, value: str) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    return MASKER.body(raw, [Secret("secret:key", value)])


def test_a_mark_tells_the_kind_and_a_fingerprint_that_is_the_same_for_the_same_value():
    mark = MASKER.mark(Secret("secret:key", "hunter2"))
    assert re.fullmatch(r"\[secret:key:fp_[0-9a-f]{12}\]", mark)
    assert mark == MASKER.mark(Secret("secret:key", "hunter2"))
    assert mark != MASKER.mark(Secret("secret:key", "hunter3"))
    assert mark != Masker(Scrubber(b"j" * 32)).mark(Secret("secret:key", "hunter2"))


def test_what_was_found_in_a_text_is_replaced_and_overlaps_count_once():
    text = "a SECRET and another"
    masked_text = MASKER.text(text, [finding(2, 8), finding(4, 12), finding(0, 0)])
    assert re.fullmatch(r"a \[secret:key:fp_\w+\]\[secret:key:fp_\w+\] another", masked_text)


def test_a_masked_text_has_no_secret_any_more():
    detector = Secrets()
    text = 'password = "Winter2024!" and api_key="q8Zt4wLm1xCv7bNm" for AKIAQ4HRNXUVY3T7GZ2M'
    found = detector.find(Text(text))
    assert len(found) == 3
    once = MASKER.text(text, found)
    assert detector.find(Text(once)) == []
    assert all(secret.value not in once for secret in secrets_in(text, found))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_stays_json_and_loses_the_value_at_any_depth(value: str, ascii_only: bool):
    body: object = {"text": f"see {value}!", "n": [1, None]}
    for _ in range(4):
        out = masked(json.dumps(body, ensure_ascii=ascii_only), value)
        json.loads(out)
        assert len(MARK.findall(out.decode())) == 1
        body = {"arguments": json.dumps(body, ensure_ascii=ascii_only), "n": 1}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "spell",
    [
        lambda value: quote(value, safe=""),
        quote_plus,
        lambda value: quote(quote(value, safe=""), safe=""),
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: "".join(f"\\u{ord(char):04x}" for char in value if ord(char) < 0x10000),
    ],
)
def test_other_spellings_are_masked(value: str, spell):
    value = "".join(char for char in value if ord(char) < 0x10000)
    assert MARK.search(masked(f"x={spell(value)}&y=1", value).decode())


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_wherever_the_value_begins_in_it(value: str, before: int, encode):
    data = encode(b"x" * before + value.encode() + b"tail")
    out = masked(json.dumps({"data": data.decode()}), value)
    json.loads(out)
    assert MARK.search(out.decode())


def test_slashes_of_base64_may_be_escaped():
    value = "\u00ff\u00ff?>" * 5
    data = base64.b64encode(value.encode()).decode()
    assert "/" in data
    assert MARK.search(masked(json.dumps({"d": data}).replace("/", "\\/"), value).decode())


def test_a_number_outside_of_strings_becomes_a_string():
    body = f'{{"card": {NUMBER}, "s": "a, {NUMBER}, b", "list": [{NUMBER}]}}'
    out = json.loads(masked(body, NUMBER))
    assert out["card"].startswith("[secret:key:")
    assert out["list"][0].startswith("[secret:key:")
    assert out["s"].startswith("a, [secret:key:")


def test_a_short_value_is_masked_only_where_it_stands_alone():
    assert masked("tiger stigers tiger.", "tiger").count(b"[secret") == 2


def test_the_longer_of_two_values_goes_first():
    secrets = [Secret("secret:a", "abcdef123"), Secret("secret:b", "abcdef123456")]
    assert MASKER.body(b"abcdef123456", secrets).startswith(b"[secret:b:")


@given(st.text(st.characters(), min_size=6, max_size=20), st.text(max_size=20))
@example("00000\b", "")
def test_whatever_the_value_it_is_masked_in_json(value: str, around: str):
    body = json.dumps({"t": f"{around}\x00{value}\x00{around}"})
    out = masked(body, value)
    left = json.loads(out)["t"].replace(around, "")
    assert value not in MARK.sub("", left) or value in around


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r'{"t": "a\name1234"}', "name1234"),
        (r'{"t": "\u00410000x"}', "410000x"),
        (r'{"t": "\u0041bc"}', "u0041bc"),
    ],
)
def test_an_escape_before_the_value_is_left_whole(raw: str, value: str):
    json.loads(masked(raw, value))


def test_a_body_without_the_value_is_the_same_bytes():
    body = json.dumps({"t": "\\u0041 %20 nothing"}).encode()
    assert masked(body, VALUES[0]) is body
