"""The pattern under the cursor: its template, how its models do, its latest wording."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.patterns import PatternLine
from llmproxy_core.tui import pattern_words
from llmproxy_core.tui.learning import PatternAbout
from llmproxy_core.tui.widgets.resting_pane import RestingPane


class PatternPane(RestingPane):
    """`follow` a pattern."""

    DEFAULT_CSS = "PatternPane { height: 50%; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown: PatternLine | None = None
        self.about: PatternAbout | None = None
        self._known: PatternLine | None = None
        """What `about` is of."""

    def compose(self) -> ComposeResult:
        self._said = Static(id="pattern", markup=False)
        yield self._said

    def follow(self, one: PatternLine | None) -> None:
        """Show what is known at once, and the rest as soon as the cursor rests."""
        same = one is not None and self.shown is not None and one.id == self.shown.id
        if not same:
            self.about = self._known = None
            self.scroll_home(animate=False)
        self.shown = one
        self._draw()
        if one is None or one != self._known:
            self.at_rest(None if one is None else self._read, news=same)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        said = Content("")
        if self.shown is not None:
            now, zone = self.hub.now(), self.hub.zone
            said = pattern_words.pane(self.shown, self.about, now, zone, self.room)
        self._said.update(said)

    async def _read(self) -> None:
        one, learning = self.shown, self.hub.source.learning
        if one is None:
            return
        about = await self.hub.ask(lambda: learning.about(one.ns_id, one.id))
        if self.shown is not None and self.shown.id == one.id:
            self.about, self._known = about, one
            self._draw()
