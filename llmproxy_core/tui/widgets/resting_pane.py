"""A pane that follows the cursor of a table, and reads more once the cursor rests."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.worker import WorkType

from llmproxy_core.tui.hub import Hub, HubScreen

REST_SECONDS = 0.1

type Read = Callable[[], Coroutine[Any, Any, None]]


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
        self._wanted: Read | None = None
        self._reading = 0

    @property
    def hub(self) -> Hub:
        return cast(HubScreen, self.screen).hub

    @property
    def room(self) -> int:
        """Cells of a line."""
        return (self.size.width or self.app.size.width) - 3

    def at_rest(self, read: Read | None, *, news: bool = False) -> None:
        """`read` once the cursor has rested here; None: nothing is to be read.

        `news`: of what is shown already. It waits for what is being read: it may come faster.
        """
        self._wanted = read
        if news and (self._rest is not None or self._reading):
            return
        if self._rest is not None:
            self._rest.stop()
        self._rest = None if read is None else self.set_timer(REST_SECONDS, self._rested)

    def _rested(self) -> None:
        self._rest = None
        work: WorkType[None] = self._run
        self.run_worker(work, group="rest", exclusive=True)

    async def _run(self) -> None:
        read, self._wanted = self._wanted, None
        if read is None:
            return
        self._reading += 1
        try:
            await read()
        finally:
            self._reading -= 1
        self._go_on()

    def _go_on(self) -> None:
        """With what was told while it was reading."""
        if self._wanted is not None and self._rest is None:
            self.at_rest(self._wanted)
