"""Titles in one line, one of them current; a click chooses. Takes a third of what `Tabs` takes."""

from collections.abc import Mapping, Sequence
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
    short: str = ""
    """The title where there is little room."""


class TabLine(Static):
    """`note` is what stands behind the titles, `badges` numbers beside some of them, by name."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $panel; color: $foreground 75%; text-wrap: nowrap; }
    """

    @dataclass
    class Chosen(Message):
        name: str

    current: reactive[str] = reactive("")
    note: reactive[Content] = reactive(Content(""))
    badges: reactive[Mapping[str, int]] = reactive(dict)

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

    def watch_badges(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        brand, labels = self._fitted()
        parts: list[Content | tuple[str, str]] = [(brand, "bold $primary")]
        for tab, label in zip(self.tabs, labels, strict=True):
            here = "bold $background on $primary" if tab.name == self.current else ""
            parts.append((label, here))
            if tab.name in self.badges:
                parts.append((self._badge(tab), "bold $background on $warning"))
        self.update(Content.assemble(*parts, "  ", self.note), layout=False)

    def _fitted(self) -> tuple[str, list[str]]:
        """The brand and the titles. Where there is no room for them and the note: short titles, the
        last first, then no brand, then only keys."""
        labels = [f" {tab.key} {tab.title} " for tab in self.tabs]
        taken = self.note.cell_length + 2 + sum(len(self._badge(tab)) for tab in self.tabs)
        room = (self.size.width or self.app.size.width) - taken
        others = [n for n, tab in enumerate(self.tabs) if tab.short and tab.name != self.current]
        steps = [(n, f" {self.tabs[n].key} {self.tabs[n].short} ") for n in reversed(others)]
        _shorten(labels, steps, room - len(self.brand))
        if not others or len(self.brand) + sum(map(len, labels)) <= room:
            return self.brand, labels
        _shorten(labels, [(n, f" {self.tabs[n].key} ") for n in reversed(others)], room - 1)
        return " ", labels

    def _badge(self, tab: Tab) -> str:
        return f" {self.badges[tab.name]} " if tab.name in self.badges else ""

    def on_click(self, event: events.Click) -> None:
        brand, labels = self._fitted()
        end = len(brand)
        for tab, label in zip(self.tabs, labels, strict=True):
            start, end = end, end + len(label) + len(self._badge(tab))
            if start <= event.x < end:
                self.post_message(self.Chosen(tab.name))


def _shorten(labels: list[str], steps: Sequence[tuple[int, str]], room: int) -> None:
    """Take one short label after the other, until all have room."""
    for number, short in steps:
        if sum(map(len, labels)) <= room:
            return
        labels[number] = short
