"""Detail: one call. Its conversation, both bodies, headers, timing, and what is new in it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Footer

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.success.signal import Verdict
from llmproxy_core.tui import figures, pages, reading
from llmproxy_core.tui.bodies import save_bodies
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.refresher import Refresher
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.tabbed import TabbedScreen, keys
from llmproxy_core.tui.widgets.call_head import CallHead
from llmproxy_core.tui.widgets.conversation import Conversation
from llmproxy_core.tui.widgets.find_line import FindLine
from llmproxy_core.tui.widgets.findings_pane import FindingsPane
from llmproxy_core.tui.widgets.learnt_pane import LearntPane
from llmproxy_core.tui.widgets.tab_line import Tab, TabLine
from llmproxy_core.tui.widgets.text_pane import Line, TextPane
from llmproxy_core.tui.widgets.timing import TimingPane

TABS = (
    Tab("1", "conversation", "Conversation", "Conv."),
    Tab("2", "request", "Request", "Req."),
    Tab("3", "response", "Response", "Resp."),
    Tab("4", "headers", "Headers", "Head."),
    Tab("5", "timing", "Timing"),
    Tab("6", "diff", "Diff"),
    Tab("7", "findings", "Findings", "Find."),
    Tab("8", "learnt", "Learnt"),
)


class DetailScreen(TabbedScreen):
    """`step`: gives the flow some lines below in the table that this was opened from; `tab`: the
    one to begin with."""

    HELP = "Detail"
    TABS = TABS
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys(TABS),
        Binding("n", "step(1)", "Next"),
        Binding("b", "step(-1)", "Prev"),
        Binding("p", "parent", "Parent"),
        Binding("left_square_bracket", "previous", "Earlier turn", show=False),
        Binding("s", "session", "Session"),
        Binding("h", "hex", "Hex", show=False),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("y", "copy", "Copy"),
        Binding("o", "save", "Save"),
        Binding("plus", "feedback('good')", "Good answer", show=False),
        Binding("minus", "feedback('bad')", "Bad answer", show=False),
    ]

    def __init__(
        self,
        flow_id: UUID,
        step: Callable[[int], UUID | None] | None = None,
        tab: str = "conversation",
    ) -> None:
        super().__init__(tab)
        self.flow_id = flow_id
        self.step = step
        self.detail: FlowDetail | None = None
        self.reading: reading.Reading | None = None
        self._shown: set[str] = set()
        self._fetching = False
        self._hex = False
        self._lessons = Refresher(self, self._learn)

    def compose(self) -> ComposeResult:
        yield CallHead()
        yield TabLine(TABS, self.tab, id="detail-tabs")
        with ContentSwitcher(initial=self.tab):
            yield Conversation(id="conversation")
            for tab in TABS[1:4]:
                yield TextPane(id=tab.name)
            yield TimingPane(id="timing")
            yield TextPane(id="diff")
            yield FindingsPane(id="findings")
            yield LearntPane(id="learnt")
        yield FindLine()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.hub.updates.subscribe(self, self.take_update)
        self._lessons.start()
        self.load()

    # what comes in ---------------------------------------------------------------------------

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Read the flow and show the tab that is open."""
        flow_id, source = self.flow_id, self.hub.source
        try:
            detail = await asyncio.to_thread(source.flow, flow_id)
        except LlmproxyError as exc:
            self.query_one(CallHead).say(str(exc))
            return
        if detail is None:
            self.query_one(CallHead).say(f"There is no call {flow_id} (any more).")
            return
        self.detail = detail
        self.reading = await asyncio.to_thread(reading.read, detail)
        self._shown = {"learnt"}  # told as it is read
        self.query_one(CallHead).show(detail, self.reading.problem or "")
        await self.show_tab()

    async def _learn(self) -> None:
        """What was learnt of it: signals come after the answer, some of them much later."""
        flow_id, learning = self.flow_id, self.hub.source.learning
        found = await self.hub.ask(lambda: learning.learnt(flow_id))
        if found is not None and flow_id == self.flow_id:
            self.query_one(CallHead).tell(found)
            self.query_one(LearntPane).tell(found)

    def take_update(self, update: Update) -> None:
        if update.learning or update.overflow:
            self._lessons.news()
        detail = self.detail
        if detail is None or detail.response is not None:
            if detail is None and update.overflow:
                self.load()
            return
        if update.overflow or any(f.id == self.flow_id and f.state != "open" for f in update.flows):
            self.load()
        elif self.flow_id in update.streamed and not self._fetching:
            self._fetching = True
            self._grow()

    @work(group="grow")
    async def _grow(self) -> None:
        conversation = self.query_one(Conversation)
        live, source, flow_id = conversation.live, self.hub.source, self.flow_id
        seen = live.seen if live else -1
        try:
            deltas = await self.hub.ask(lambda: source.deltas(flow_id, seen))
        finally:
            self._fetching = False
        if deltas and conversation.live is live:
            await conversation.add(deltas)

    # what is shown ---------------------------------------------------------------------------

    async def show_tab(self) -> None:
        detail, read, tab = self.detail, self.reading, self.tab
        if detail is None or read is None or tab in self._shown:
            self.focus_tab()
            return
        self._shown.add(tab)
        if tab == "conversation":
            await self.query_one(Conversation).show(read)
        elif tab == "timing":
            self.query_one(TimingPane).show(detail)
        elif tab == "diff":
            self._compare(detail, read)
        elif tab == "findings":
            self.query_one(FindingsPane).read(detail)
        elif tab == "headers":
            self._lay_out(tab, lambda: pages.headers_page(detail))
        else:
            make = pages.request_page if tab == "request" else pages.response_page
            as_hex = self._hex
            self._lay_out(tab, lambda: make(detail, as_hex=as_hex))
        self.focus_tab()

    @work(group="pages")
    async def _lay_out(self, tab: str, make: Callable[[], list[Line]]) -> None:
        self.query_one(f"#{tab}", TextPane).show(await asyncio.to_thread(make))

    @work(exclusive=True, group="diff")
    async def _compare(self, detail: FlowDetail, read: reading.Reading) -> None:
        source, previous = self.hub.source, detail.previous_id
        before = None
        if previous is not None:
            found = await self.hub.ask(lambda: source.flow(previous))
            before = await asyncio.to_thread(reading.read, found) if found else None
        lines = await asyncio.to_thread(pages.diff_page, read, before)
        self.query_one("#diff", TextPane).show(lines)

    # what a person does ----------------------------------------------------------------------

    def action_find(self) -> None:
        if self.tab in ("conversation", "timing", "findings", "learnt"):
            self.action_tab("request")
        self.query_one(FindLine).open()

    def on_find_line_wanted(self, event: FindLine.Wanted) -> None:
        if not self.query_one(f"#{self.tab}", TextPane).find(event.words):
            self.notify("Not found", severity="warning")

    def on_find_line_closed(self) -> None:
        self.focus_tab()

    def action_step(self, by: int) -> None:
        flow_id = self.step(by) if self.step else None
        if flow_id is not None:
            self._go(flow_id)

    def action_previous(self) -> None:
        if self.detail is not None and self.detail.previous_id is not None:
            self._go(self.detail.previous_id)
        else:
            self.notify("This is the first turn of its session.")

    def action_parent(self) -> None:
        """Go to the call that this one comes from."""
        if self.detail is not None and self.detail.request.parent_id is not None:
            self._go(self.detail.request.parent_id)
        else:
            self.notify("Nothing known comes before this call.")

    def action_session(self) -> None:
        """Go to its place in the tree of its session."""
        if self.detail is not None:
            self.llmproxy.show_session(self.detail.flow.session_id, self.detail.flow.id)

    def action_hex(self) -> None:
        """Show the body of the tab as bytes, or as what they mean."""
        if self.tab in ("request", "response"):
            self._hex = not self._hex
            self._shown -= {"request", "response"}
            self.call_next(self.show_tab)

    def _go(self, flow_id: UUID) -> None:
        self.flow_id = flow_id
        self.detail = self.reading = None
        self.load()
        self._lessons.again()

    def action_copy(self) -> None:
        """Copy what the tab shows; of a conversation, the answer."""
        pane = self.query_one(f"#{self.tab}")
        if isinstance(pane, TextPane):
            text = pane.text()
        elif (
            self.reading is not None
            and self.detail is not None
            and self.detail.response is not None
        ):
            text = "\n".join(
                part.text for part in self.reading.turns[-1].parts if part.kind == "text"
            )
        else:
            text = ""
        self.app.copy_to_clipboard(text or str(self.flow_id))
        self.notify(
            f"Copied {figures.size(len(text.encode(errors='replace')))}"
            if text
            else f"Copied {self.flow_id}"
        )

    @work(group="feedback")
    async def action_feedback(self, verdict: Verdict) -> None:
        """Say whether the answer was good; of a bad one, why."""
        detail, learning = self.detail, self.hub.source.learning
        if detail is None:
            return
        why: str | None = ""
        if verdict == "bad":
            told = "Enter without words is fine, too; Esc takes it back"
            why = await self.app.push_screen_wait(AskScreen("A bad answer: why?", told))
        if why is None:
            return
        said: str = why
        if await self.hub.do(lambda: learning.feedback(detail.flow.id, verdict, said)):
            self.notify(f"{verdict}: thank you", timeout=3)
            self._lessons.again()

    @work(group="save")
    async def action_save(self) -> None:
        """Write both bodies, as they passed, into the working folder."""
        detail = self.detail
        if detail is None:
            return
        try:
            files = await asyncio.to_thread(lambda: save_bodies(detail, Path.cwd()))
        except OSError as exc:
            self.notify(f"{exc.filename}: {exc.strerror}", severity="error")
            return
        self.notify("Wrote " + ", ".join(file.name for file in files))
