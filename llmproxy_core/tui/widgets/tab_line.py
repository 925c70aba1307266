"""Titles in one line, one of them current; a click chooses. Takes a third of what `Tabs` takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static


class Tab(NamedTuple):
    key: str
    name: str
    title: str


class TabLine(Static):
    """`note` is what stands behind the titles."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $panel; color: $foreground 75%; text-wrap: nowrap; }
    """

    @dataclass
    class Chosen(Message):
        name: str

    current: reactive[str] = reactive("")
    note: reactive[Content] = reactive(Content(""))

    def __init__(
        self, tabs: Sequence[Tab], current: str, *, brand: str = "", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.tabs = tabs
        self.brand = f" {brand} " if brand else " "
        self.set_reactive(TabLine.current, current)

    def on_mount(self) -> None:
        self._draw()

    def watch_current(self) -> None:
        self._draw()

    def watch_note(self) -> None:
        self._draw()

    def _draw(self) -> None:
        parts: list[Content | tuple[str, str]] = [(self.brand, "bold $primary")]
        for tab in self.tabs:
            here = "bold $background on $primary" if tab.name == self.current else ""
            parts.append((_label(tab), here))
        self.update(Content.assemble(*parts, "  ", self.note), layout=False)

    def on_click(self, event: events.Click) -> None:
        end = len(self.brand)
        for tab in self.tabs:
            start, end = end, end + len(_label(tab))
            if start <= event.x < end:
                self.post_message(self.Chosen(tab.name))


def _label(tab: Tab) -> str:
    return f" {tab.key} {tab.title} "
