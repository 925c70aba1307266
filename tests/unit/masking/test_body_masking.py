"""Bodies are masked wherever they have a secret, and what was there before is known."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.body_masking import BodyMasker
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.masking.raw_secrets import RawSecrets, texts

KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
FIND = RawSecrets(Secrets())
MASKER = Masker(Scrubber(b"k" * 32))
MARK = MASKER.mark(Secret("secret:github-pat", KEY))


def masker() -> BodyMasker:
    return BodyMasker(FIND, MASKER)


def chat(*texts: str, **more: object) -> bytes:
    messages = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"model": "m", "messages": messages, **more}).encode()


PLACES: dict[str, object] = {
    "message": {"messages": [{"role": "user", "content": f"the key is {KEY}."}]},
    "system": {"system": f"the key is {KEY}."},
    "short text": {"user": KEY},
    "metadata": {"metadata": {"deep": [{"er": KEY}]}},
    "name of a field": {"metadata": {KEY: 1}},
    "top name": {KEY: {"a": []}},
    "arguments": {"messages": [{"tool_calls": [{"arguments": json.dumps({"a": KEY})}]}]},
    "object of arguments": {"messages": [{"content": [{"input": {"command": f"echo {KEY}"}}]}]},
    "tool": {"tools": [{"name": "f", "description": KEY, "parameters": {"enum": [KEY]}}]},
    "list of texts": {"input": ["a", f"b {KEY}"]},
    "list of lists": {"input": [[KEY], [1, 2, KEY]]},
    "frame": {"type": "session.update", "session": {"instructions": KEY}},
    "list at the top": [KEY, {"a": KEY}],
    "text at the top": KEY,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_secret_is_masked_wherever_it_stands(place: str, indent: int | None):
    body = json.dumps(PLACES[place], indent=indent).encode()
    out = masker().masked(body)
    assert json.loads(out.body) == json.loads(body.replace(KEY.encode(), MARK.encode()))
    assert out.masked == body.count(KEY.encode())


BODIES = {
    "form": b"prompt=hello+there&key=" + KEY.encode() + b"&n=1",
    "percent": b"prompt=%67hp_" + KEY[4:].encode(),
    "multipart": b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
    + KEY.encode()
    + b"\r\n--b--\r\n",
    "lines": json.dumps({"a": f"say {KEY}"}).encode() + b"\n" + json.dumps({"b": 1}).encode(),
    "broken": b'{"messages": [{"content": "' + KEY.encode() + b'"}',
    "binary": b"\x00\xff\xfe" + KEY.encode() + b"\x00",
    "twice": json.dumps({"a": KEY}).encode()[:-1] + b', "a": 1}',
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_of_other_kinds_are_masked_too(kind: str):
    out = masker().masked(BODIES[kind])
    assert KEY[4:].encode() not in out.body
    assert out.masked == 1


def test_a_name_tells_what_its_value_is():
    for told in ({"password": "wq7!kZp93"}, {"login": {"password": "wq7!kZp93"}}):
        out = masker().masked(json.dumps(told).encode())
        assert b"wq7!kZp93" not in out.body


def test_a_text_is_no_name_for_the_field_behind_it():
    body = json.dumps({"say": "password", "obfuscation": "aB3dE9xK2p", "n": 1}).encode()
    assert masker().masked(body).body is body


def test_a_secret_told_in_one_place_is_masked_in_all():
    out = masker().masked(chat("password=wq7!kZp93x", "it is wq7!kZp93x.", "d3E3IWtacDkzeA=="))
    assert b"wq7!kZp93x" not in out.body
    assert b"d3E3IWtacDkzeA" not in out.body
    assert out.masked == 3


def test_what_was_there_before_is_not_looked_through_again():
    bodies = masker()
    turns = [f"turn {n} " + "x y " * 50 for n in range(50)]
    before = bodies.masked(chat(*turns, f"key {KEY}"))
    with mock.patch.object(FIND, "find", wraps=FIND.find) as find:
        after = bodies.masked(chat(*turns, f"key {KEY}", "what now?"))
    looked = [call.args[0] for call in find.call_args_list]
    assert sum(map(len, looked)) < 300
    assert (before.masked, after.masked) == (1, 1)
    assert KEY.encode() not in after.body


def test_a_secret_that_is_told_late_is_masked_from_then_on():
    bodies = masker()
    first = chat("the word is wq7!kZp93x")
    assert bodies.masked(first).body is first
    second = bodies.masked(chat("the word is wq7!kZp93x", "password=wq7!kZp93x"))
    assert b"wq7!kZp93x" not in second.body


def test_a_longer_secret_with_an_earlier_one_in_it_is_masked_whole():
    bodies = masker()
    body = chat("say abcdef123456 and xyzabcdef123456tail please")
    short, long = Secret("a:b", "abcdef123456"), Secret("a:c", "xyzabcdef123456tail")
    bodies.masked(body, [short])
    out = bodies.masked(body, [short, long])
    assert b"tail" not in out.body
    assert out.masked == 2


def test_more_can_be_masked_than_what_is_found():
    out = masker().masked(
        chat("write to anna@example.org"), [Secret("pii:email", "anna@example.org")]
    )
    assert b"anna" not in out.body
    assert b"[pii:email:fp_" in out.body


def test_what_breaks_off_in_a_key_is_masked():
    out = masker().masked(b'{"messages": [{"content": "it is ' + KEY[:20].encode(), cut=True)
    assert KEY[:12].encode() not in out.body


def test_a_body_without_secrets_stays_the_same_object():
    body = chat("hello", "a longer text, which is known by its hash")
    assert masker().masked(body).body is body


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.text(max_size=30) | st.integers() | st.none(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.booleans(),
)
def test_json_stays_json_and_reads_with_marks(value: object, ascii_only: bool):
    body = json.dumps({"a": value, "b": [f"so {KEY}!", value]}, ensure_ascii=ascii_only)
    raw = body.encode("utf-8", "replace")
    out = masker().masked(raw)
    if not FIND.find(json.dumps(value).encode()):
        assert json.loads(out.body) == json.loads(raw.replace(KEY.encode(), MARK.encode()))


def test_fields_are_said_in_order_and_deep_ones_too():
    deep: object = "end"
    for _ in range(500):
        deep = [deep]
    said = texts(json.dumps({"a": "x", "b": [1, "y"], "c": deep, "d": 5}).encode())
    assert said == b'"a": "x"\n"b": "y"\n"c": "end"\n"d": 5'
