"""What was found in one call, what policies decided about it, and what of it is masked."""

import asyncio
from typing import cast

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.tui import guard_words
from llmproxy_core.tui.evidence import MARK
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.widgets.words_pane import WordsPane


class FindingsPane(WordsPane):
    """`read` what there is of a call."""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("Reading …", guard_words.FAINT), markup=False)

    @work(exclusive=True, group="findings")
    async def read(self, detail: FlowDetail) -> None:
        hub, flow = cast(HubScreen, self.screen).hub, detail.flow
        guard = hub.source.guard
        found = await hub.ask(lambda: guard.found_in(flow.id))
        decided = await hub.ask(lambda: guard.decided_about(flow.id))
        if found is None or decided is None:
            return
        masked = guard_words.masked(*await asyncio.to_thread(_marks, detail))
        told = guard_words.report(found, decided, masked, hub.now(), hub.zone)
        self.show(told)


def _marks(detail: FlowDetail) -> tuple[int, int]:
    """How many marks stand in what is stored of request and answer."""
    sides = (detail.request, detail.response)
    request, answer = (
        len(MARK.findall(decode_body(row.headers, row.body)[0].decode("utf-8", "replace")))
        if row is not None
        else 0
        for row in sides
    )
    return request, answer
