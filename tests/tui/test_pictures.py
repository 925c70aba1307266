"""Pictures of the screens; `pytest tests/tui/test_pictures.py --snapshot-update` takes them anew.

The README's picture is one of them: LLMPROXY_PICTURE=1 writes it to docs/live.svg.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llmproxy_core.home import Home
from tests.tui import demo, family, guard_demo, learning_demo
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, make_app, on_stage, ready, until

PICTURE = Path(__file__).parents[2] / "docs" / "live.svg"

SMALL, LARGE, WIDE = (80, 24), (140, 40), (180, 40)

type Compare = Callable[..., bool]

pytestmark = pytest.mark.usefixtures("proxy_up")


def after(*keys: str, see: str = "") -> Callable[[Pilot[None]], object]:
    """Wait for the app, press keys, wait for words."""

    async def run(pilot: Pilot[None]) -> None:
        await ready(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.2)
            await until(lambda: all(one.is_finished for one in pilot.app.workers))
            await pilot.pause()
        if see:
            await Stage(pilot.app, pilot).sees(see)  # type: ignore[arg-type]
        pilot.app.clear_notifications()  # they go by themselves, sooner or later
        await pilot.pause(0.2)

    return run


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])
def test_live(
    snap_compare: Compare, source: MemorySource, home: Home, size: tuple[int, int]
) -> None:
    assert snap_compare(make_app(source, home), terminal_size=size, run_before=after(see="~172"))


def test_live_in_light(snap_compare: Compare, source: MemorySource, home: Home) -> None:
    run = after("t", "down", see="~172")
    assert snap_compare(make_app(source, home), terminal_size=SMALL, run_before=run)


def test_live_without_calls(snap_compare: Compare, home: Home) -> None:
    run = after(see="No calls yet")
    assert snap_compare(make_app(MemorySource(), home), terminal_size=SMALL, run_before=run)


def test_detail(snap_compare: Compare, source: MemorySource, home: Home) -> None:
    run = after("down", "down", "enter", see="call Edit")
    assert snap_compare(make_app(source, home), terminal_size=LARGE, run_before=run)


def test_timing(snap_compare: Compare, source: MemorySource, home: Home) -> None:
    run = after("down", "down", "enter", "5", see="tokens/s")
    assert snap_compare(make_app(source, home), terminal_size=SMALL, run_before=run)


def test_sessions(snap_compare: Compare, source: MemorySource, home: Home) -> None:
    run = after("2", "right", see="└ 15:08:41")
    assert snap_compare(make_app(source, home), terminal_size=LARGE, run_before=run)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "180x40"])
def test_session(snap_compare: Compare, home: Home, size: tuple[int, int]) -> None:
    run = after("2", "enter", "m", see="the client changed the tool")
    app = make_app(family.source(), home)
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "180x40"])
def test_security(snap_compare: Compare, home: Home, size: tuple[int, int]) -> None:
    run = after("4", "down", see="no-orders-from-pages (shadow)" if size == WIDE else "Opening")
    assert snap_compare(make_app(guard_demo.source(), home), terminal_size=size, run_before=run)


def test_security_in_light(snap_compare: Compare, home: Home) -> None:
    run = after("t", "4", see="key fp_4c1a90de77b2")
    assert snap_compare(make_app(guard_demo.source(), home), terminal_size=LARGE, run_before=run)


def test_policies(snap_compare: Compare, home: Home) -> None:
    run = after("5", "down", "down", see="in shadow until it is proven")
    assert snap_compare(make_app(guard_demo.source(), home), terminal_size=LARGE, run_before=run)


def test_approvals(snap_compare: Compare, home: Home) -> None:
    run = after("6", "down", see="https://get.example")
    assert snap_compare(make_app(guard_demo.source(), home), terminal_size=LARGE, run_before=run)


def test_findings_of_a_call(snap_compare: Compare, home: Home) -> None:
    run = after("4", "enter", see="1 finding")
    assert snap_compare(make_app(guard_demo.source(), home), terminal_size=SMALL, run_before=run)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x40"])
def test_patterns(snap_compare: Compare, home: Home, size: tuple[int, int]) -> None:
    run = after("7", see="Ticket:")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=size, run_before=run)


def test_versions(snap_compare: Compare, home: Home) -> None:
    run = after("7", "s", "enter", "4", see="+Never guess.")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=SMALL, run_before=run)


def test_enhancements(snap_compare: Compare, home: Home) -> None:
    run = after("8", see="On its newest call")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=LARGE, run_before=run)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "180x40"])
def test_experiments(snap_compare: Compare, home: Home, size: tuple[int, int]) -> None:
    run = after("9", "down", see="after 1,900 conv" if size == WIDE else "points (+3.0 to")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=size, run_before=run)


def test_experiments_in_light(snap_compare: Compare, home: Home) -> None:
    run = after("t", "9", "down", "enter", see="after 1,900 conv")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=LARGE, run_before=run)


def test_rules(snap_compare: Compare, home: Home) -> None:
    run = after("0", "down", see="drop: parameter")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=LARGE, run_before=run)


def test_what_is_learnt_of_a_call(snap_compare: Compare, home: Home) -> None:
    run = after("down", "down", "enter", "8", see="How it went")
    assert snap_compare(make_app(learning_demo.source(), home), terminal_size=LARGE, run_before=run)


async def test_the_picture_in_the_readme_is_what_the_app_looks_like(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(132, 17)) as stage:
        await stage.press("down", "down")
        await stage.sees("~172", "● proxy 127.0.0.1:8080")
        await until(lambda: demo.flows()[2].id == stage.current().id)
        svg = stage.app.export_screenshot(title="llmproxy tui")
    if os.environ.get("LLMPROXY_PICTURE"):
        PICTURE.write_text(svg)
    assert PICTURE.read_text() == svg, (
        "take it anew: LLMPROXY_PICTURE=1 pytest tests/tui/test_pictures.py"
    )
