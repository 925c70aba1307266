"""An answer while it is being written: text grows at its end, so only its end is drawn again."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.call_rows import StreamDelta
from llmproxy_core.tui.widgets.prose import Prose, Verbatim

FENCE = "```"


def settled(text: str) -> int:
    """How much of a growing Markdown text will not change its looks any more.

    That is up to the last empty line outside of a fenced block of code.
    """
    at = text.rfind("\n\n")
    while at > 0:
        if text.count(FENCE, 0, at) % 2 == 0:
            return at + 2
        at = text.rfind("\n\n", 0, at)
    return 0


class LiveAnswer(Vertical):
    DEFAULT_CSS = """
    LiveAnswer {
        height: auto; padding: 0 1; margin: 0 0 1 0; border-left: outer $primary;
        & > .turn--role { height: 1; text-style: bold; color: $primary; }
    }
    """

    def __init__(self) -> None:
        super().__init__(classes="-assistant")
        self.seen = -1
        """The `seq` of the last delta that was taken in."""
        self._kind = ""
        self._tail = ""
        self._widget: Prose | Verbatim | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content("assistant … writing"), classes="turn--role")

    async def add(self, deltas: list[StreamDelta]) -> None:
        """Take in what was written since; deltas that are known already are left out."""
        for delta in deltas:
            if delta.seq <= self.seen:
                continue
            self.seen = delta.seq
            if delta.kind != self._kind:
                await self._draw()
                self._kind, self._tail, self._widget = delta.kind, "", None
            self._tail += delta.text
        await self._draw()

    async def _draw(self) -> None:
        if not self._tail:
            return
        if self._kind == "tool_call":
            await self._draw_tail(self._tail)
            return
        cut = settled(self._tail)
        if cut:
            await self._draw_tail(self._tail[:cut])
            self._tail, self._widget = self._tail[cut:], None
        if self._tail:
            await self._draw_tail(self._tail)

    async def _draw_tail(self, text: str) -> None:
        dim = self._kind == "reasoning"
        if self._widget is None:
            tool = self._kind == "tool_call"
            self._widget = Verbatim(text, "json") if tool else Prose(text, dim=dim)
            await self.mount(self._widget)
        else:
            self._widget.say(text)
