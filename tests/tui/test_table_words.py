"""Small tables among words."""

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.tui.experiment_columns import ARMS, arm_lines
from llmproxy_core.tui.pattern_columns import MODELS
from llmproxy_core.tui.table_words import table
from tests.tui import learning_demo

MODEL_ROWS = learning_demo.about().models


@given(st.integers(30, 120))
def test_no_line_is_longer_than_there_is_room(width: int) -> None:
    lines = list(table(MODELS, MODEL_ROWS, width))
    assert len(lines) == 1 + len(MODEL_ROWS)
    assert all(line.cell_length <= width for line in lines)


def test_what_matters_most_stays_where_there_is_little_room() -> None:
    (titles, first, _) = (line.plain for line in table(MODELS, MODEL_ROWS, 50))
    assert titles.split() == ["Model", "Calls", "Success"]
    assert first.split() == ["gpt-5.1-mini", "902", "67.0%"]


def test_of_an_experiment_the_control_is_told_first() -> None:
    stored = learning_demo.source().learning.tests[1]
    lines = [line.plain.split() for line in table(ARMS, arm_lines(stored, {}))]
    assert [line[0] for line in lines] == ["Arm", "control", "enhanced"]
    assert lines[0][1:] == [
        "Share", "Judged", "Success", "Cost", "Latency", "Errors", "Cached",
    ]  # fmt: skip
    assert lines[1][1:4] == ["50%", "939/939", "71.1%"]
