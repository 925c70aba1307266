import json

import pytest

from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.families import Text
from llmproxy_core.patterns.readings import MOST_PARTS, NAMED, TOOLS, tool_set_lines, tools_say

WIRE = "openai.chat"


def offered(name: str, description: str, **parameters: object) -> str:
    schema = {"type": "object", "properties": parameters, "required": [*parameters]}
    tool = {"name": name, "description": description, "parameters": schema, "strict": True}
    body = {"tools": [{"type": "function", "function": tool}]}
    return "\n".join(tool_lines(WIRE, json.dumps(body).encode()))


def said(text: str) -> list[str]:
    return tools_say(tool_set_lines(text))


def test_a_tool_says_its_name_its_parameters_and_what_is_written_of_them():
    parts = said(
        offered(
            "berth",
            "Finds a berth.",
            ship={"type": "string", "description": "Whose"},
            side={"type": "string", "enum": ["port", "starboard"]},
        )
    )
    assert parts[:NAMED] == [f"tool berth {n}" for n in range(NAMED)]
    assert set(parts[NAMED:]) == {
        "Finds a berth.",
        "Whose",
        "berth takes ship",
        "berth takes side",
        "port starboard",
    }


def test_words_of_schemas_are_not_said():
    words = " ".join(said(offered("berth", "Finds one.", ship={"type": "string"}))).split()
    assert not {"type", "object", "string", "required", "properties", "strict"} & set(words)


def test_hosted_tools_are_called_by_their_type():
    text = "\n".join(tool_lines("openai.responses", b'{"tools": [{"type": "web_search"}]}'))
    assert "tool web_search 0" in said(text)


def test_what_is_no_json_says_itself():
    assert tools_say(["read a file {"]) == ["read a file {"]


def test_a_tool_of_many_words_says_no_more_than_others():
    parameters = {f"p{n}": {"type": "string", "description": "a " * 500} for n in range(300)}
    parts = said(offered("long", "word " * 5_000, **parameters))
    assert len(parts) == NAMED + MOST_PARTS
    assert max(len(part.split()) for part in parts) <= 12


def test_deep_schemas_are_read():
    deep: dict[str, object] = {"description": "the deepest"}
    for n in range(100):
        deep = {"properties": {f"p{n}": deep}}
    assert said(offered("deep", "", inner=deep))[NAMED:][:2] == ["", "deep takes inner"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Made on 2026-11-22 in /home/ana/port.", "Made on 2027-01-03 in /home/bo/quay.", True),
        ("Reads it.\n\nUse with care.", "Reads it.\n\nTry with care.", False),
        ("Reads it.", "Reads all.", False),
    ],
)
def test_what_passes_in_a_description_makes_no_version_and_all_else_does(one, other, same):
    read = [Text(TOOLS.lines(offered("read", text)), TOOLS).read for text in (one, other)]
    assert (read[0] == read[1]) is same
