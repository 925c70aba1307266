"""An answer in JSON, asked for as each format wants it."""

import json

import pytest

from tests.unit.transformations.done import SCHEMA, applied, done, left

OBJECT = {"op": "response_format", "type": "json_object"}
SHAPED = {"op": "response_format", "type": "json_schema", "name": "n", "schema": SCHEMA}
JSON = "application/json"


@pytest.mark.parametrize(
    ("wire", "more"),
    [
        ("openai.chat", {"response_format": {"type": "json_object"}}),
        ("openai.responses", {"text": {"format": {"type": "json_object"}}}),
        ("gemini", {"generationConfig": {"responseMimeType": JSON}}),
        ("ollama.chat", {"format": "json"}),
        ("cohere.chat", {"response_format": {"type": "json_object"}}),
    ],
)
def test_of_any_shape(wire, more):
    assert done(wire, {"messages": []}, OBJECT) == {"messages": [], **more}


CHAT = {"name": "n", "strict": True, "schema": SCHEMA}
CONVERSE = {"schema": json.dumps(SCHEMA, separators=(",", ":")), "name": "n"}


@pytest.mark.parametrize(
    ("wire", "more"),
    [
        ("openai.chat", {"response_format": {"type": "json_schema", "json_schema": CHAT}}),
        ("openai.responses", {"text": {"format": {"type": "json_schema", **CHAT}}}),
        (
            "anthropic.messages",
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ),
        ("gemini", {"generationConfig": {"responseMimeType": JSON, "responseJsonSchema": SCHEMA}}),
        (
            "bedrock.converse",
            {
                "outputConfig": {
                    "textFormat": {"type": "json_schema", "structure": {"jsonSchema": CONVERSE}}
                }
            },
        ),
        ("ollama.chat", {"format": SCHEMA}),
        ("cohere.chat", {"response_format": {"type": "json_object", "json_schema": SCHEMA}}),
    ],
)
def test_of_a_schema(wire, more):
    made = applied(wire, {"messages": []}, SHAPED)

    assert done(wire, {"messages": []}, SHAPED) == {"messages": [], **more}
    assert not applied(wire, made.body, SHAPED).edits


@pytest.mark.parametrize("wire", ["anthropic.messages", "bedrock.converse", "openai.completions"])
def test_formats_that_want_a_schema_or_know_none_are_left_alone(wire):
    assert left(wire, {"messages": []}, OBJECT) == "elsewhere"


def test_another_schema_of_geminis_goes():
    body = {"generation_config": {"response_schema": {"type": "STRING"}, "temperature": 1}}
    after = done("gemini", body, SHAPED)

    config = {"temperature": 1, "responseMimeType": JSON, "responseJsonSchema": SCHEMA}
    assert after == {"generation_config": config}


def test_the_name_that_the_beta_had_stays():
    after = done("anthropic.messages", {"output_format": {"type": "x"}}, SHAPED)
    assert after == {"output_format": {"type": "json_schema", "schema": SCHEMA}}
