"""What stands above a call: what it was, what it comes from, what was found in it and learnt of it."""

from typing import cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.store.tree import SAME
from llmproxy_core.tui import guard_words, learnt_words, plain
from llmproxy_core.tui.heading import heading, kin_lines
from llmproxy_core.tui.hub import HubScreen


class CallHead(Vertical):
    """`show` a call, `say` why there is none, `tell` what is learnt of it."""

    DEFAULT_CSS = """
    CallHead {
        height: auto; background: $panel;
        & > #call-what { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
        & > #call-more { height: auto; max-height: 5; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._guarded: list[Content] = []
        self._learnt: list[Content] = []
        self._kin: list[Content] = []

    def compose(self) -> ComposeResult:
        self._what = Static(id="call-what", markup=False)
        self._more = Static(id="call-more", markup=False)
        yield self._what
        yield self._more

    def say(self, text: str) -> None:
        self._what.update(Content(plain.line(text)))

    def show(self, detail: FlowDetail, problem: str) -> None:
        """`problem`: what is wrong with its body."""
        self._what.update(heading(detail))
        self._read(detail, problem)

    def tell(self, learnt: CallLessons) -> None:
        self._learnt = learnt_words.summary(learnt)
        self._draw()

    @work(exclusive=True, group="kin")
    async def _read(self, detail: FlowDetail, problem: str) -> None:
        """What was found, what it comes from, and, which takes longest, why a prompt cache was missed."""
        hub, row = cast(HubScreen, self.screen).hub, detail.request
        source = hub.source
        tool = await hub.ask(lambda: source.caller(row)) if row.parent_call else None
        found = await hub.ask(lambda: source.guard.found_in(row.id))
        decided = await hub.ask(lambda: source.guard.decided_about(row.id))
        self._guarded = guard_words.summary(found or [], decided or [])
        self._kin = kin_lines(detail, problem, tool)
        self._draw()
        if detail.response is not None and row.relation in SAME:
            missed = await hub.ask(lambda: source.misses(row.ns_id, [row.id]))
            self._kin = kin_lines(detail, problem, tool, (missed or {}).get(row.id))
            self._draw()

    def _draw(self) -> None:
        lines = [*self._guarded, *self._learnt, *self._kin]
        self._more.display = bool(lines)
        self._more.update(Content("\n").join(lines))
