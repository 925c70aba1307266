import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers.parsing import dumps, parse

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_json_is_read_back(value) -> None:
    assert parse(json.dumps(value).encode()) == (value, None)
    assert json.loads(dumps(value)) == value


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    value, problem = parse(data)
    assert value is None or problem is None or "UTF-8" in problem


def test_what_strict_parsers_refuse_is_read() -> None:
    assert parse(b'{"a": "\\ud800"}') == ({"a": "\ud800"}, None)
    assert parse(b'\xef\xbb\xbf{"a": 1, "a": 2}') == ({"a": 2}, None)
    assert str(parse(b"[NaN]")[0]) == "[nan]"


def test_invalid_utf8_is_mended_and_told() -> None:
    assert parse(b'{"a": "\xff"}') == ({"a": "\ufffd"}, "not UTF-8: byte 7")
    assert parse(b'{"a": "\xff') == (None, "not UTF-8: byte 7")


def test_problems_say_where() -> None:
    assert parse(b" ") == (None, "the body is empty")
    assert parse(b'{"a": 1') == (None, "not JSON: unexpected end of data: line 1 column 8 (char 7)")
    value, problem = parse(b"[" * 5000 + b"]" * 5000)
    assert value is None
    assert problem is not None
    assert problem.startswith("not JSON")


def test_values_that_orjson_refuses_are_written() -> None:
    assert (
        dumps({"a": 10**30, "b": "\ud800"}) == '{"a":1000000000000000000000000000000,"b":"\ud800"}'
    )
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    assert dumps(deep) == ""
    while deep:
        deep = deep[0]  # type: ignore[assignment]
