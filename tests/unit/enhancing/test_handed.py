"""What files hand over, and what is wrong in them."""

import os
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core import config, rulebook
from llmproxy_core.enhancing.handed import Compiler, Tables, tables_of
from llmproxy_core.errors import ConfigError
from llmproxy_core.home import Home
from tests.unit.enhancing.handing import rule
from tests.unit.enhancing.test_enhancer import EXPERIMENT

FILE = Path("rulebook.json")
ODD = {"op": "explode"}
NOWHERE = {"op": "cache_breakpoint", "at": "system"}


def test_what_is_written_is_what_is_read(tmp_path, learnt):
    home = Home(tmp_path)
    tables = Tables([rule("a", "true")], [EXPERIMENT], {"default": learnt[0]})
    assert rulebook.write(home, [], tables=tables)
    assert not rulebook.write(home, [], tables=tables)
    read = rulebook.read(home.rulebook).tables
    assert Compiler(FILE).read(read).problems == []
    assert [*read.transformations] == [*tables.transformations]
    assert read.patterns == tables.patterns


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"transformations": 3, "experiments": {}, "patterns": []},
        {"transformations": None, "experiments": "x", "patterns": 1.5},
    ],
)
def test_what_is_no_table_is_none(content: dict[str, Any]):
    assert tables_of(content) == Tables([], [])


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (Tables([rule("odd", "true", ODD)]), "the transformation odd: `transformations[0].logic"),
        (Tables([rule("odd", 'wire == "openai.chat"', NOWHERE)]), "it can be done in no request"),
        (Tables([rule("odd", "nobody == 1")]), "the transformation odd"),
        (Tables([3]), "the transformation None"),  # type: ignore[list-item]
        (Tables((), [EXPERIMENT | {"shares": {}}]), "shares must name"),
        (Tables((), [EXPERIMENT | {"when": "nobody == 1"}]), "when"),
        (Tables((), [EXPERIMENT | {"namespace": 3}]), "`namespace` and `rule` are names"),
        (
            Tables((), [EXPERIMENT | {"variants": [{"name": "brief", "operations": [ODD]}]}]),
            "logic",
        ),
        (Tables((), ["x"]), "an experiment cannot be read"),  # type: ignore[list-item]
        (Tables(patterns={"n": {"signatures": 3}}), "namespace n: patterns that cannot be read"),
        (Tables(patterns={"n": {"outlines": {"system": {"zz": "x"}}}}), "cannot be read"),
        (Tables(patterns={"n": []}), "cannot be read"),  # type: ignore[dict-item]
    ],
)
def test_what_is_broken_is_left_out_and_told(tables: Tables, told: str):
    good = rule("good", "true")
    both = Tables([good, *tables.transformations], tables.experiments, tables.patterns)
    ready = Compiler(FILE).read(both)

    assert [one.name for one in ready.transformations] == ["good"]
    assert not ready.trials
    assert not ready.patterns
    [problem] = ready.problems
    assert told in problem
    assert problem.startswith("rulebook.json: left out: ")


def test_experiments_that_have_come_to_an_end_are_none():
    assert not Compiler(FILE).read(Tables((), [EXPERIMENT | {"status": "draft"}])).trials


def test_patterns_that_are_the_same_are_not_read_again(learnt):
    compiler = Compiler(FILE)
    first = compiler.read(Tables(patterns={"a": learnt[0], "b": learnt[0]})).patterns
    second = compiler.read(Tables(patterns={"a": dict(learnt[0]), "b": {}})).patterns

    assert second["a"] is first["a"]
    assert second["b"] is not first["b"]


def test_those_of_the_file_come_before_those_of_the_table(tmp_path):
    home, said = Home(tmp_path), list[str]()
    file = tmp_path / "mitm.toml"
    file.write_text(
        '[[transformations]]\nname = "a"\nlogic = [{op = "drop", parameter = "seed"}]\n'
    )
    rulebook.write(home, [], tables=Tables([rule("a", "true", order=7), rule("b", "true")]))
    os.utime(home.rulebook, (1, 1))  # what is written just now may not be all there
    settings = config.read(file)
    book = rulebook.Rulebook(settings, home, said.append, improves=True)

    assert [(one.name, one.settings.order) for one in book.improving.rules.all] == [
        ("a", 0),
        ("b", 0),
    ]
    assert said == ["the transformation a of mitm.toml comes before that of the table"]
    assert not rulebook.Rulebook(settings, home, said.append).improving


def test_a_rule_of_the_settings_that_can_be_done_nowhere_is_an_error(tmp_path):
    file = tmp_path / "mitm.toml"
    file.write_text(
        '[[transformations]]\nname = "odd"\nwhen = \'wire == "openai.chat"\'\n'
        'logic = [{op = "cache_breakpoint", at = "system"}]\n'
    )
    with pytest.raises(ConfigError, match="transformation odd: it can be done in no request"):
        rulebook.Rulebook(config.read(file), Home(tmp_path), print, improves=True)
