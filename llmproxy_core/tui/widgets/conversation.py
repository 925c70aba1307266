"""A conversation, however long: only the turns near the place one looks at are widgets."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.call_rows import StreamDelta
from llmproxy_core.tui.reading import Reading, Turn
from llmproxy_core.tui.widgets.fold import Fold
from llmproxy_core.tui.widgets.live_answer import LiveAnswer
from llmproxy_core.tui.widgets.turn import TurnView

PAGE_TURNS = 8
PAGE_CHARACTERS = 8_000
NEAR = 3
"""Lines from the edge at which the next turns are loaded."""


class Edge(Static):
    """Says that there is more in this direction; a click loads it."""

    DEFAULT_CSS = """
    Edge { height: 1; color: $primary; text-align: center; display: none; }
    Edge.-shown { display: block; }
    Edge:hover { text-style: underline; }
    """

    def tell(self, text: str) -> None:
        self.set_class(bool(text), "-shown")
        self.update(Content(text))


class Conversation(VerticalScroll):
    """`show` a reading; `add` what is streamed to it. Opens at the last thing that was asked."""

    DEFAULT_CSS = """
    Conversation { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("home,g", "first", "First turn", show=False),
        Binding("end,G", "last", "Last turn", show=False),
        Binding("space", "page_down", "Page down", show=False),
        Binding("e", "folds", "Folds", show=True),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.turns: list[Turn] = []
        self.live: LiveAnswer | None = None
        self._from = self._to = 0
        self._edges = Edge(id="earlier"), Edge(id="later")
        self._loading = False
        self._stuck = False

    async def show(self, reading: Reading) -> None:
        """Replace what is shown. Turns that were streamed are replaced where they stand."""
        at_end = self.live is not None and self.is_vertical_scroll_end
        self.turns = reading.turns
        self.live = None
        self._stuck = False
        self.anchor(False)
        running = reading.detail.response is None
        await self._open(len(self.turns), running)
        if running and reading.detail.live:
            await self.add(reading.detail.live)
        if running:
            self.call_after_refresh(self._stick)
        elif at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
        else:
            self.call_after_refresh(self._to_question)

    async def add(self, deltas: list[StreamDelta]) -> None:
        """Let the answer grow."""
        if self.live is not None:
            await self.live.add(deltas)
            self.call_after_refresh(self._stick)

    def _stick(self) -> None:
        """Stay at the end of a growing answer, until the person scrolls up.

        Not before there is something to scroll: an anchor would pull a short text down.
        """
        if not self._stuck and self.max_scroll_y > 0 and self.live is not None:
            self._stuck = True
            self.anchor()

    async def _open(self, end: int, running: bool) -> None:
        """Show the turns that end at `end`."""
        self._to = end
        self._from = self._page_before(end)
        self._loading = True
        async with self.batch():
            await self.remove_children()
            views = self._views(self._from, self._to)
            top, bottom = self._edges = Edge(id="earlier"), Edge(id="later")
            self.live = LiveAnswer() if running else None
            await self.mount(top, *views, *([self.live] if self.live else []), bottom)
        self._tell_edges()
        self._loading = False

    def _page_before(self, end: int) -> int:
        start, size = end, 0
        while start > 0 and end - start < PAGE_TURNS and size < PAGE_CHARACTERS:
            start -= 1
            size += sum(len(p.text) for p in self.turns[start].parts if p.kind == "text")
        return start

    def _views(self, start: int, end: int) -> list[TurnView]:
        total = len(self.turns)
        return [TurnView(self.turns[n], f"{n + 1}/{total}") for n in range(start, end)]

    def _tell_edges(self) -> None:
        later = len(self.turns) - self._to
        top, bottom = self._edges  # another call may have taken them off the screen already
        top.tell(f"▲ {self._from} earlier" if self._from else "")
        bottom.tell(f"▼ {later} later" if later else "")

    def _to_question(self) -> None:
        """Bring the last thing the user said to the top."""
        views = list(self.query(TurnView))
        asked = [view for view in views if view.turn.role == "user"]
        target = asked[-1] if asked else views[-1] if views else None
        if target is not None:
            self.scroll_to_widget(target, animate=False, top=True, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._loading or not self.is_mounted:
            return
        if new_value <= NEAR and new_value < old_value and self._from:
            self.call_next(self._load_earlier)
        elif new_value >= self.max_scroll_y - NEAR and self._to < len(self.turns):
            self.call_next(self._load_later)

    async def _load_earlier(self) -> None:
        if self._loading or not self._from:
            return
        self._loading = True
        start = self._page_before(self._from)
        views = self._views(start, self._from)
        await self.mount(*views, after=self.query_one("#earlier"))
        self._from = start
        self._tell_edges()
        self.call_after_refresh(self._keep_place, views)

    def _keep_place(self, added: list[TurnView]) -> None:
        """The lines that came in above push down what one was reading."""
        height = sum(view.outer_size.height + view.styles.margin.bottom for view in added)
        self.scroll_to(y=self.scroll_y + height, animate=False, force=True)
        self._loading = False

    async def _load_later(self) -> None:
        if self._loading or self._to >= len(self.turns):
            return
        self._loading = True
        end = min(len(self.turns), self._to + PAGE_TURNS)
        await self.mount(*self._views(self._to, end), before=self.query_one("#later"))
        self._to = end
        self._tell_edges()
        self._loading = False

    async def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "earlier":
            await self._load_earlier()
        elif event.widget is not None and event.widget.id == "later":
            await self._load_later()

    async def action_first(self) -> None:
        if self._from and self.live is None:
            await self._open(min(PAGE_TURNS, len(self.turns)), False)
        self.call_after_refresh(self.scroll_home, animate=False)  # after `_keep_place`

    async def action_last(self) -> None:
        if self._to < len(self.turns):
            await self._open(len(self.turns), self.live is not None)
        self.call_after_refresh(self.scroll_end, animate=False)

    def action_folds(self) -> None:
        """Open all folds on screen, or close them if they are open."""
        folds = list(self.query(Fold))
        folded = not any(fold.folded for fold in folds)
        for fold in folds:
            fold.folded = folded
