import json

import pytest

from llmproxy_core.patterns.documents import MOST_LINES, heads, system_lines, tool_lines


@pytest.mark.parametrize(
    "passing",
    [
        "2026-11-22",
        "2026-11-22T10:00:00Z",
        "Sunday, November 22, 2026",
        "22 November 2026",
        "10:45 pm",
        "550e8400-e29b-41d4-a716-446655440000",
        "/home/ana/projects/harbour",
        "C:\\Users\\ana\\harbour",
        "ana@example.org",
        "0123456789ab",
    ],
)
def test_what_passes_makes_no_difference(passing):
    assert system_lines(f"It is {passing} now.") == ["It is § now."]


@pytest.mark.parametrize(
    "text", ["Give 3 examples.", "Use and/or.", "May I go?", "See https://a.org/b/c"]
)
def test_what_is_meant_stays(text):
    assert system_lines(text) == [text]


def test_what_agents_tell_of_their_surroundings_is_left_out():
    around = (
        "<env>cwd: x</env>\n?? notes.txt\n M src/ship.py\nM harbour.py\n1a2b3c4 Mend the pier\n"
    )
    assert system_lines("Be brief.\n" + around + "Ask first.") == ["Be brief.", "Ask first."]
    assert system_lines("I am A B\nM is a letter") == ["I am A B", "M is a letter"]


def test_blank_lines_and_spacing_make_no_difference():
    assert system_lines("a  b\n\n\n c ") == system_lines("a b\nc")


def test_lines_are_bounded():
    assert len(system_lines("a\n" * 10**5)) <= MOST_LINES
    assert max(map(len, system_lines("x" * 10**5))) <= 4_000


def tools(wire: str, body: object) -> list[str]:
    return [line.partition(" ")[0] for line in tool_lines(wire, json.dumps(body).encode())]


READ = {"name": "read", "description": "d"}


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("openai.chat", {"tools": [{"type": "function", "function": READ}]}),
        ("openai.responses", {"tools": [{"type": "function", **READ}]}),
        ("openai.responses", {"input": [{"type": "additional_tools", "tools": [READ]}]}),
        ("anthropic.messages", {"tools": [READ]}),
        ("gemini", {"tools": [{"functionDeclarations": [READ]}]}),
        ("gemini", {"request": {"tools": [{"functionDeclarations": [READ]}]}}),
        ("bedrock.converse", {"toolConfig": {"tools": [{"toolSpec": READ}]}}),
    ],
)
def test_tools_are_found_wherever_a_wire_has_them(wire, body):
    assert tools(wire, body) == ["read"]


def test_tools_in_frames_are_found():
    data = json.dumps({"type": "session.update", "session": {"tools": [READ]}})
    line = json.dumps({"from": "client", "type": "text", "at": 1, "data": data}).encode()
    assert [one.partition(" ")[0] for one in tool_lines("openai.realtime", line)] == ["read"]


def test_order_and_marks_of_caches_make_no_difference():
    other = {"description": "d", "name": "write"}
    one = {"tools": [READ, other]}
    two = {"tools": [other, READ | {"cache_control": {"type": "ephemeral"}}]}
    wire = "anthropic.messages"
    assert tool_lines(wire, json.dumps(one).encode()) == tool_lines(wire, json.dumps(two).encode())


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b'{"tools": 3}', b'{"tools": [3]}', b"[" * 9999]
)
def test_other_bodies_offer_nothing(body):
    assert tool_lines("openai.chat", body) == []


def test_lines_that_name_something_have_a_head():
    assert list(heads(["User name: Bob", "Be brief.", "Note:"])) == [
        ("User name", "Bob"),
        ("Be brief.", ""),
        ("Note:", ""),
    ]
