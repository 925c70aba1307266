"""When a screen reads again."""

import asyncio

import pytest
from textual.app import App
from textual.screen import Screen

from llmproxy_core.tui import refresher
from llmproxy_core.tui.refresher import SHARE, Refresher
from tests.tui.stage import until

READ_SECONDS = 0.02


class Reads(Screen[None]):
    def __init__(self, poll: float = 0.0) -> None:
        super().__init__()
        self.refresher = Refresher(self, self._read, poll)
        self.begun = self.done = 0
        self.seconds = READ_SECONDS

    async def _read(self) -> None:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        self.done += 1


async def test_news_is_read_and_a_flood_of_it_leaves_time_for_others() -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads()
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done == 1)
        for _ in range(100):
            screen.refresher.news()
            await asyncio.sleep(0.005)
        assert screen.done <= 2 + 0.6 / (SHARE * READ_SECONDS)
        before = screen.done
        screen.refresher.news()
        await until(lambda: screen.done > before)


async def test_one_slow_read_does_not_put_the_next_one_off() -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads()
        screen.seconds = 0.6
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done == 1)
        screen.seconds = READ_SECONDS
        screen.refresher.news()
        await until(lambda: screen.done == 2, seconds=SHARE * 0.6 / 2)


async def test_however_slow_reads_are_news_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "LONGEST", 0.5)
    async with App[None]().run_test() as pilot:
        screen = Reads()
        screen.seconds = 0.3
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        for many in (1, 2, 3):
            await until(lambda many=many: screen.done == many, seconds=2.0)  # type: ignore[misc]
            screen.refresher.news()


async def test_what_a_person_did_is_read_at_once_and_what_was_read_before_is_dropped() -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads()
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.begun == 1)
        screen.refresher.again()
        await until(lambda: screen.done == 1)
        await asyncio.sleep(3 * READ_SECONDS)
        assert (screen.begun, screen.done) == (2, 1)


async def test_without_news_it_is_read_now_and_then_but_not_below_another_screen() -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(poll=0.1)
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done >= 2)
        await pilot.app.push_screen(Screen())
        await pilot.pause(0.1)
        await until(lambda: screen.begun == screen.done)
        before = screen.done
        screen.refresher.news()
        await asyncio.sleep(0.5)
        assert screen.done == before
