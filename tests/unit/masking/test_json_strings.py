"""Characters of JSON strings, and the bytes they are."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.masking.json_strings import spliced, unescaped, units

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def raw_of(text: str, ascii_only: bool) -> bytes:
    return json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")[1:-1]


@given(ANY_TEXT, st.booleans())
def test_a_string_reads_as_json_reads_it(text: str, ascii_only: bool):
    assert unescaped(raw_of(text, ascii_only)) == text


@given(st.binary(max_size=40))
def test_any_bytes_have_as_many_units_as_characters_and_end_where_they_end(raw: bytes):
    found = units(raw)
    assert "".join(text for text, _ in found) == unescaped(raw)
    assert [end for _, end in found] == sorted({end for _, end in found})
    assert not raw or found[-1][1] == len(raw)


@given(ANY_TEXT, st.booleans(), st.data())
def test_a_stretch_is_replaced_and_the_rest_is_kept(
    text: str, ascii_only: bool, data: st.DataObject
):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cut = spliced(raw_of(text, ascii_only), [(start, end, "[x]")])
    assert unescaped(cut) == text[:start] + "[x]" + text[end:]
    assert json.loads(b'"' + cut + b'"')


def test_escapes_that_json_does_not_know_stand_for_their_letter():
    assert unescaped(rb"\x\q\u12") == "xqu12"


def test_half_a_pair_of_surrogates_stays_one_and_two_make_a_character():
    assert unescaped(rb"a\ud83d b") == "a\ud83d b"
    assert unescaped(rb"\ud83d\ude00") == "\U0001f600"
    assert spliced(rb"\ud83d\ude00!", [(0, 1, "[x]")]) == b"[x]!"
