"""Patterns: what is asked again and again, how often, and how well it goes."""

from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import UUID

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from llmproxy_core.plural import counted
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.patterns import KINDS, MOST, PatternLine
from llmproxy_core.tui import plain
from llmproxy_core.tui.pattern_columns import COLUMNS, OF_KINDS, type_name
from llmproxy_core.tui.pattern_words import KINDS as KIND_NAMES
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.listing import ListScreen
from llmproxy_core.tui.screens.pattern import PatternScreen
from llmproxy_core.tui.widgets.columns import Column
from llmproxy_core.tui.widgets.pattern_pane import PatternPane

EMPTY = Content.assemble(
    ("No patterns yet.", "bold"),
    "\n\nWhat is asked again and again becomes a pattern: a template with slots, named by its words. ",
    "A few calls that are alike are enough; texts of calls that are not captured are never looked at. ",
    "Try it on a file of prompts:\n\n",
    ("    llmproxy patterns mine prompts.jsonl", "bold $accent"),
)


class PatternsScreen(ListScreen[PatternLine]):
    MODE = "patterns"
    COLUMNS = COLUMNS
    POLL = 10.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "kind", "Kind"),
        Binding("r", "rename", "Rename"),
        Binding("space", "mark", "Mark", key_display="Space"),
        Binding("m", "merge", "Merge", show=False),
        Binding("a", "advise", "Ask advisor"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind: PatternKind = "user"
        self.marked: dict[UUID, PatternLine] = {}

    def read(self) -> list[PatternLine]:
        return self.hub.source.learning.patterns(self.kind, limit=MOST)

    def key(self, row: PatternLine) -> UUID:
        return row.id

    def words(self, row: PatternLine) -> str:
        return f"{row.name} {type_name(row.type)} {row.namespace}"

    def told(self, rows: Sequence[PatternLine]) -> str:
        more = " or more" if len(rows) == MOST else ""
        return f"{counted(len(rows), *KIND_NAMES[self.kind])}{more}"

    def nothing(self) -> Content:
        if self.kind == "user":
            return EMPTY
        return Content.assemble(
            (f"No {KIND_NAMES[self.kind][1]} yet.", "bold"), "\n\ns: the others"
        )

    def on_mount(self) -> None:
        self.table.use_columns(self.shown_columns())

    def pane(self) -> Iterator[Widget]:
        yield PatternPane()

    def follow(self, row: PatternLine | None) -> None:
        self.query_one(PatternPane).follow(row)

    # what a person does ----------------------------------------------------------------------

    def on_table_chosen(self) -> None:
        if (one := self.table.current) is not None:
            self.app.push_screen(PatternScreen(one))

    def columns(self) -> list[Column[PatternLine]]:
        return [one for one in COLUMNS if one.title != OF_KINDS[self.kind]]

    def action_kind(self) -> None:
        """Prompts of users, system prompts, sets of tools, and again."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self._mark({})
        self.rows = None
        self.table.use_columns(self.shown_columns())
        self.table.show([], to_top=True)
        self.reload()

    def action_mark(self) -> None:
        """Mark it, or take its mark away, and go on to the next one."""
        if (one := self.table.current) is not None:
            others = {id: each for id, each in self.marked.items() if id != one.id}
            self._mark(others if one.id in self.marked else {**others, one.id: one})
            self.table.action_cursor(1)

    def _mark(self, marked: dict[UUID, PatternLine]) -> None:
        self.marked = marked
        self.table.mark(marked)

    @work(group="merge")
    async def action_merge(self) -> None:
        """Let the marked ones be part of the one under the cursor, once that is confirmed."""
        heir, learning = self.table.current, self.hub.source.learning
        if heir is None:
            return
        gone = [one for one in self.marked.values() if one.id != heir.id]
        if not gone:
            self.notify("Mark others with Space first; they become part of the one you are on.")
            return
        names = ", ".join(plain.short(one.name, 40) for one in gone[:3])
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        question = f"Merge {names}{more} into {plain.short(heir.name, 40)}?"
        told = "Their calls, old and new, count for it from now on. This cannot be undone."
        if await self.app.push_screen_wait(AskScreen(question, told, sure="Enter: merge")) is None:
            return
        for one in gone:
            if not await self.hub.do(lambda one=one: learning.merge(one.ns_id, one.id, heir.id)):  # type: ignore[misc]
                break
            self._mark({id: each for id, each in self.marked.items() if id != one.id})
            self.notify(f"Merged: {plain.short(one.name, 60)}", markup=False, timeout=3)
        self.reload()

    @work(group="rename")
    async def action_rename(self) -> None:
        one, learning = self.table.current, self.hub.source.learning
        if one is None:
            return
        question = f"A name for {plain.short(one.name, 60)}"
        told = "it keeps this name, whatever its words become; rules may ask for it"
        name = await self.app.push_screen_wait(AskScreen(question, told))
        if not name:
            return
        if await self.hub.do(lambda: learning.rename(one.ns_id, one.id, name)):
            self.notify(f"Named {plain.line(name)}", markup=False, timeout=3)
            self.reload()

    @work(group="advise")
    async def action_advise(self) -> None:
        """Let the advisor be asked about it, once that is confirmed."""
        one, learning = self.table.current, self.hub.source.learning
        if one is None:
            return
        bad = one.sums.judged - one.sums.good
        told = (
            f"A few of its {counted(bad, 'failure')} go to Claude through OpenRouter, masked, if the\n"
            "advisor is enabled; what it suggests is in 8."
        )
        question = f"Ask the advisor about {plain.short(one.name, 40)}?"
        if await self.app.push_screen_wait(AskScreen(question, told, sure="Enter: ask")) is None:
            return
        if await self.hub.do(lambda: learning.ask_advisor(one.ns_id, one.id)):
            self.notify("The worker will ask it.", timeout=3)
