"""Columns in the width there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.flow_columns import COLUMNS, FLAGS, client_name, flags, model_name
from llmproxy_core.tui.widgets.columns import Glance, fit, padded
from tests.tui import demo

FLAGS_COLUMN = [column.title for column in COLUMNS].index("Flags")


@given(st.integers(1, 400))
def test_columns_never_need_more_than_the_width(width: int) -> None:
    layout = fit(COLUMNS, width)
    needed = sum(cells for _, cells in layout) + len(layout) - 1
    assert layout
    assert needed <= max(width, COLUMNS[0].width)


@given(st.integers(20, 300))
def test_a_wider_terminal_never_loses_a_column(width: int) -> None:
    narrow = {column.title for column, _ in fit(COLUMNS, width)}
    wide = {column.title for column, _ in fit(COLUMNS, width + 1)}
    assert narrow <= wide


@given(st.text(), st.integers(1, 60), st.booleans())
def test_a_cell_is_as_wide_as_its_column(text: str, width: int, right: bool) -> None:
    assert cell_len(padded(plain.line(text), width, right)) == width


def test_a_cut_text_ends_with_an_ellipsis() -> None:
    assert padded("claude-opus", 8) == "claude-…"


def test_every_flag_is_explained() -> None:
    flow = demo.flow(
        1, n_tool_calls=2, request_changed=True, state="partial", error="x", parse_error="y"
    )
    assert flags(flow) == "st2Δ~!?"
    shown = COLUMNS[FLAGS_COLUMN].cell(flow, Glance(found={flow.id: "high"}))
    assert shown.text == "".join(sign for sign, _ in FLAGS) == "▲st2Δ~!?"


@pytest.mark.parametrize(
    ("severity", "sign", "tone"),
    [("critical", "▲s", "bad"), ("medium", "▲s", "warn"), ("low", "s", "dim")],
)
def test_what_was_found_is_told_by_how_bad_it_is(severity: str, sign: str, tone: str) -> None:
    flow = demo.flow(1)
    glance = Glance(found={flow.id: severity})
    assert COLUMNS[FLAGS_COLUMN].cell(flow, glance) == (sign, tone)


def test_programs_are_named_as_they_name_themselves() -> None:
    names = {
        "claude-cli/2.1.4 (external, cli)": "claude-cli",
        "OpenAI/Python 2.8.1": "openai/python",
        "Mozilla/5.0 (X11)": "127.0.0.1:50001",
        "": "127.0.0.1:50001",
    }
    assert {a: client_name(demo.flow(1, user_agent=a)) for a in names} == names


def test_the_date_of_a_model_is_left_out() -> None:
    assert model_name(demo.flow(1, model="claude-opus-4-5-20251101")) == "claude-opus-4-5"
    assert model_name(demo.flow(1, model="gpt-4o-2024-11-20")) == "gpt-4o"
    assert model_name(demo.flow(1, model=None, request_model=None)) == figures.NONE
