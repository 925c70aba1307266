"""Enhancements: what is suggested, what it would change, and what a person says of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from llmproxy_core.enhancements.enhancement import Status
from llmproxy_core.plural import counted
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.tui import enhancement_words, operation_words, plain
from llmproxy_core.tui.enhancement_columns import COLUMNS, STATUSES
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.listing import ListScreen
from llmproxy_core.tui.screens.page import PageScreen
from llmproxy_core.tui.widgets.edit_pane import EditPane
from llmproxy_core.tui.widgets.text_pane import Line

LIMIT = 500
REJECTED = "rejected"
UNDO: dict[Status, str] = {
    "approved": "  (Enter: its experiment, where o stops it)",
    "rejected": "  (u takes it back)",
}
EMPTY = Content.assemble(
    ("No suggestions yet.", "bold"),
    "\n\nFor patterns that fail or cost more than they have to, changes are suggested here: a missing ",
    "cache breakpoint, a limit that truncates, tools that nobody calls … with the advisor enabled, ",
    "also by Claude. You approve one, an experiment tells whether it helps.\n\n",
    ("    llmproxy enhancements list", "bold $accent"),
)


class EnhancementsScreen(ListScreen[StoredEnhancement]):
    MODE = "enhancements"
    COLUMNS = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "approve", "Approve"),
        Binding("n", "reject", "Reject"),
        Binding("N", "reject_with_reason", "Say why"),
        Binding("e", "whole", "Whole edit"),
        Binding("u", "reconsider", "Think again", show=False),
    ]

    def read(self) -> list[StoredEnhancement]:
        return self.hub.source.learning.enhancements(limit=LIMIT)

    def key(self, row: StoredEnhancement) -> UUID:
        return row.id

    def words(self, row: StoredEnhancement) -> str:
        one = row.one
        edit = operation_words.short(one.edit)
        return (
            f"{STATUSES[one.status][0]} {row.pattern} {one.type} {edit} {one.source_engine} "
            f"{one.reasoning}"
        )

    def told(self, rows: Sequence[StoredEnhancement]) -> str | tuple[str, str]:
        many = sum(one.one.status == "candidate" for one in rows)
        said = f" {counted(many, 'suggestion waits', 'suggestions wait')} "
        return (said, "bold $background on $warning") if many else "none waits"

    def nothing(self) -> Content:
        return EMPTY

    def pane(self) -> Iterator[Widget]:
        yield EditPane()

    def follow(self, row: StoredEnhancement | None) -> None:
        self.query_one(EditPane).follow(row)

    # what a person does ----------------------------------------------------------------------

    def on_table_chosen(self) -> None:
        """Its experiment, where there is one."""
        one = self.table.current
        if one is None:
            return
        if one.one.experiment_id is None:
            self.notify("It has no experiment yet.")
        else:
            self.llmproxy.show_experiment(UUID(one.one.experiment_id))

    def action_whole(self) -> None:
        """The edit and what it changes, nothing cut."""
        one, hub = self.table.current, self.hub
        if one is None:
            return
        now, zone = hub.now(), hub.zone

        def make() -> list[Line]:
            tried = hub.source.learning.try_edit(one)
            return enhancement_words.edit_lines(one, tried, now, zone, whole=True)

        self.app.push_screen(PageScreen(one.pattern, "what is suggested, in full", make))

    @work(group="decide")
    async def action_approve(self) -> None:
        """Let it be tried: the worker begins an experiment."""
        one, learning = self.table.current, self.hub.source.learning
        if one is not None:
            await self._decide(one, "approved", lambda: learning.approve(one.id))

    @work(group="decide")
    async def action_reject(self) -> None:
        if (one := self.table.current) is not None:
            await self._reject(one, REJECTED)

    @work(group="decide")
    async def action_reject_with_reason(self) -> None:
        one = self.table.current
        if one is None:
            return
        told = "kept with the suggestion and in the audit; the advisor is told when asked again"
        why = await self.app.push_screen_wait(AskScreen("Rejected: why?", told))
        if why is not None:
            await self._reject(one, why or REJECTED)

    async def _reject(self, one: StoredEnhancement, why: str) -> None:
        learning = self.hub.source.learning
        await self._decide(one, "rejected", lambda: learning.reject(one.id, why))

    @work(group="decide")
    async def action_reconsider(self) -> None:
        """What was rejected or rolled back waits again."""
        one, learning = self.table.current, self.hub.source.learning
        if one is not None:
            await self._decide(one, "candidate", lambda: learning.reconsider(one.id))

    async def _decide(self, one: StoredEnhancement, status: Status, do: Callable[[], bool]) -> None:
        """Shown at once; where the store does not have it, what it says is told."""
        if await self.hub.do(do):
            self.refresher.drop()  # it would show what was before
            self._show_as(one, status)
            name, pattern = STATUSES[status][0], plain.short(one.pattern, 60)
            self.notify(f"{name}: {pattern}{UNDO.get(status, '')}", markup=False, timeout=3)
        self.reload()

    def _show_as(self, one: StoredEnhancement, status: Status) -> None:
        changed = replace(one, one=replace(one.one, status=status))
        self.rows = [changed if each.id == one.id else each for each in self.rows or []]
        self.draw()
