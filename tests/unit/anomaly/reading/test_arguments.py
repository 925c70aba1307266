import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.reading.arguments import call_in, fields, kind

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_every_string_is_found_with_its_key_and_place():
    text = '{"command": "ls", "opts": {"path": "/etc", "n": 3}, "say": "a\\"b"}'
    found = fields(text)
    assert [(one.key, one.value) for one in found] == [
        ("command", "ls"),
        ("path", "/etc"),
        ("say", 'a"b'),
    ]
    assert [text[one.start : one.end] for one in found] == ["ls", "/etc", 'a\\"b']


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"cmd": ["bash", "-lc", "rm -rf x"]}', "bash -lc 'rm -rf x'"),
        ('{"cmds": ["cd /", "rm -rf *"]}', "cd /\nrm -rf *"),
        ('{"cmd": "rm -rf /', "rm -rf /"),
        ("rm -rf /", "rm -rf /"),
    ],
)
def test_a_command_may_be_an_array_or_cut_off(text, value):
    assert fields(text)[0].value == value


@pytest.mark.parametrize(
    ("key", "tool", "expected"),
    [
        ("command", "x", "command"),
        ("script", "x", "command"),
        ("code", "python", "code"),
        ("code", "bash", "command"),
        ("sql", "x", "query"),
        ("query", "postgres", "query"),
        ("file_path", "Read", "path"),
        ("content", "Write", "content"),
        ("input", "shell", "command"),
        ("description", "Bash", "other"),
    ],
)
def test_what_a_field_is_tells_its_key_or_its_tool(key, tool, expected):
    [field] = fields(json.dumps({key: "x"}))
    assert kind(field, tool) == expected


def test_a_call_as_a_text_is_recognised():
    text = '{"name": "bash", "arguments": {"command": "ls"}}'
    assert call_in(text) == ("bash", text.index(' {"command'))
    assert call_in('{"name": "bash"}') is None
    assert call_in("{broken") is None
    assert call_in("[" * 5000) is None


@given(JSON, st.integers(0, 200))
def test_any_json_cut_anywhere_is_read(value, length):
    text = json.dumps({"a": value})[:length]
    for field in fields(text):
        assert 0 <= field.start <= field.end <= len(text) + 1
