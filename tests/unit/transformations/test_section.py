"""`[[transformations]]` of `mitm.toml`: what is wrong is told with its key; texts may have lines."""

from pathlib import Path

import pytest

from llmproxy_core import config
from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operation_values import PARAMETERS
from llmproxy_core.sections.operations import OPERATIONS

DOCUMENT = Path(__file__).parents[3] / "docs" / "transformations.md"
EXAMPLE = DOCUMENT.read_text().partition("```toml\n")[2].partition("```")[0]


def read(tmp_path: Path, text: str) -> list[config.TransformationConfig]:
    file = tmp_path / "mitm.toml"
    file.write_text(text)
    assert config.read(file).transformations == config.read_transformations(file)
    return config.read_transformations(file)


def test_the_example_of_the_document_is_right(tmp_path):
    (one,) = read(tmp_path, EXAMPLE)
    assert (one.name, one.order, one.active, len(one.logic)) == ("brief-triage", 10, True, 2)


def test_the_document_names_all_operations_and_parameters():
    text = DOCUMENT.read_text()
    assert not [name for name in (*OPERATIONS, *PARAMETERS) if f"`{name}`" not in text]


def test_a_text_may_have_lines_but_nothing_else_that_steers_a_terminal(tmp_path):
    table = '[[transformations]]\nname = "a"\nlogic = [{op = "append_system", text = "%s"}]\n'
    (one,) = read(tmp_path, table % r"a\n\tb\r\n")
    assert one.when == "true"
    with pytest.raises(ConfigError, match=r"transformations\[0\].logic\[0\].text"):
        read(tmp_path, table % r"\u001b[2J")
    with pytest.raises(ConfigError, match="name"):
        read(tmp_path, (table % "x").replace('"a"', r'"a\n"'))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "`transformations[0].logic` is required"),
        ("logic = []", "allowed is a list that is not empty"),
        ('logic = [{op = "nod"}]', "a table with one of these as `op`: set, clamp, drop"),
        ('logic = [{text = "x"}]', "a table with one of these as `op`"),
        (
            'logic = [{op = "clamp", parameter = "seed", max = 1, maximum = 2}]',
            "unknown key `transformations[0].logic[0].clamp.maximum`; known here: op, parameter",
        ),
        (
            'logic = [{op = "add_tools", tools = [{name = "a", schema = {}}]}]',
            "known here: name, description, parameters",
        ),
        (
            'logic = [{op = "response_format", type = "json_object", shape = {}}]',
            "known here: op, type, name, schema, strict",
        ),
        ('logic = [{op = "model", to = "m"}]\nwhen = "modle == 1"', "did you mean model"),
        ('logic = [{op = "model", to = "m"}]\nwhen = "response.status == 1"', "no variable"),
        ('logic = [{op = "model", to = "m"}]\nwhen = "finding.score > 1"', "no variable"),
        ('logic = [{op = "model", to = "m"}]\norder = "first"', "transformations[0].order"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(tmp_path, table, said):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, f'[[transformations]]\nname = "a"\n{table}\n')
    assert said in str(error.value)


def test_names_are_distinct(tmp_path):
    one = '[[transformations]]\nname = "a"\nlogic = [{op = "model", to = "m"}]\n'
    with pytest.raises(ConfigError, match=r"`transformations\[0\]` has this one"):
        read(tmp_path, one * 2)
