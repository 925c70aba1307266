"""The suggestion under the cursor: why, its edit, and what it does to a call."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.tui import enhancement_words
from llmproxy_core.tui.widgets.resting_pane import RestingPane
from llmproxy_core.tui.widgets.text_pane import Line

if TYPE_CHECKING:  # it brings the detectors, which no other screen needs
    from llmproxy_core.trial.edits import Tried

STYLES = {
    "strong": "bold",
    "dim": "$foreground 55%",
    "second": "$primary",
    "good": "$success",
    "warn": "$warning",
    "added": "$success on $success 10%",
    "removed": "$error on $error 10%",
    "field": "$accent",
}


def painted(lines: list[Line]) -> Content:
    """Lines of a `TextPane` as words."""
    return Content("\n").join(Content.styled(one.text, STYLES.get(one.paint, "")) for one in lines)


class EditPane(RestingPane):
    """`follow` a suggestion."""

    DEFAULT_CSS = "EditPane { height: 60%; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown: StoredEnhancement | None = None
        self.tried: Tried | None = None
        self._read_it = False

    def compose(self) -> ComposeResult:
        self._head, self._edit = Static(markup=False), Static(markup=False)
        yield from (self._head, self._edit)

    def follow(self, one: StoredEnhancement | None) -> None:
        """Show why at once, and what it does to a call as soon as the cursor rests."""
        another = one is None or self.shown is None or one.id != self.shown.id
        self.shown = one
        if another:
            self.tried, self._read_it = None, False
            self.scroll_home(animate=False)
        self._draw()
        self.at_rest(
            self._read if one is not None and not self._read_it else None, news=not another
        )

    def _draw(self) -> None:
        head, edit = Content(""), Content("")
        if (one := self.shown) is not None:
            now, zone = self.hub.now(), self.hub.zone
            head = enhancement_words.head(one, now, zone)
            if self._read_it:
                lines = enhancement_words.edit_lines(one, self.tried, now, zone)
                edit = painted([Line(""), *lines, *enhancement_words.life_lines(one, now, zone)])
        self._head.update(head)
        self._edit.update(edit)

    async def _read(self) -> None:
        one, hub = self.shown, self.hub
        if one is None:
            return
        found = await hub.ask(lambda: hub.source.learning.try_edit(one))
        if self.shown is not None and self.shown.id == one.id:
            self.tried, self._read_it = found, True
            self._draw()
