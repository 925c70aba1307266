"""A pane that follows the cursor of a table, and reads more once the cursor rests."""

from collections.abc import Callable
from typing import ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer

from llmproxy_core.tui.hub import Hub, HubScreen

REST_SECONDS = 0.1


class RestingPane(VerticalScroll):
    DEFAULT_CSS = """
    RestingPane {
        height: 45%; min-height: 6; padding: 0 1; background: $background;
        border-top: solid $foreground 20%; scrollbar-size-vertical: 1;
        & > Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rest: Timer | None = None

    @property
    def hub(self) -> Hub:
        return cast(HubScreen, self.screen).hub

    def at_rest(self, read: Callable[[], object] | None) -> None:
        """`read` once the cursor has rested here; None: nothing is to be read."""
        if self._rest is not None:
            self._rest.stop()
        if read is not None:
            self._rest = self.set_timer(REST_SECONDS, read)
