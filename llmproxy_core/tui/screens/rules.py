"""Rules: the transformations, in the order in which they are done, and how often they were."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from llmproxy_core.plural import counted
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.tui import operation_words, plain, rule_words, tried_words
from llmproxy_core.tui.rule_columns import COLUMNS
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.listing import ListScreen
from llmproxy_core.tui.screens.page import PageScreen
from llmproxy_core.tui.widgets.text_pane import Line
from llmproxy_core.tui.widgets.words_pane import ToldPane

TRIED = 5
"""Calls on which a rule is shown."""
EMPTY = Content.assemble(
    ("No rules yet.", "bold"),
    "\n\nA transformation changes requests before they are sent: parameters, the system prompt, words, ",
    "examples, cache breakpoints, the model, tools, headers. All other bytes stay as they are.\n\n",
    ("    llmproxy transform add brief --when 'client.user == \"batch\"' \\\n", "bold $accent"),
    ("        --op '{op = \"clamp\", parameter = \"max_tokens\", max = 1000}'", "bold $accent"),
    "\n\nor a table [[transformations]] in mitm.toml.",
)  # fmt: skip


class RulesScreen(ListScreen[StoredTransformation]):
    MODE = "rules"
    COLUMNS = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "switch(True)", "On"),
        Binding("o", "switch(False)", "Off"),
        Binding("e", "test", "Test on calls"),
        Binding("E", "test_on", "Test on one", show=False),
        Binding("K,shift+up", "move(-1)", "Earlier", key_display="K"),
        Binding("J,shift+down", "move(1)", "Later", key_display="J"),
    ]

    def read(self) -> list[StoredTransformation]:
        return self.hub.source.learning.rules()

    def key(self, row: StoredTransformation) -> str:
        return row.name

    def words(self, row: StoredTransformation) -> str:
        return f"{row.name} {row.expression} {operation_words.short(row.logic)} {row.origin}"

    def told(self, rows: Sequence[StoredTransformation]) -> str:
        return f"{counted(sum(one.active for one in rows), 'rule')} on"

    def nothing(self) -> Content:
        return EMPTY

    def pane(self) -> Iterator[Widget]:
        yield ToldPane()

    def follow(self, row: StoredTransformation | None) -> None:
        said = rule_words.rule(row, self.hub.now(), self.hub.zone) if row else Content("")
        self.query_one(ToldPane).show(said)

    # what a person does ----------------------------------------------------------------------

    def on_table_chosen(self) -> None:
        self.action_test()

    @work(group="switch")
    async def action_switch(self, active: bool) -> None:
        """Let it change requests, or not. Asks before it does."""
        one, learning = self.table.current, self.hub.source.learning
        if one is None or one.active == active:
            return
        name = plain.line(one.name)
        if active:
            told = "Requests that it is for are changed from now on; e shows how."
            ask = AskScreen(f"Switch {name} on?", told, sure="Enter: on")
            if await self.app.push_screen_wait(ask) is None:
                return
        if await self.hub.do(lambda: learning.switch(one.name, active=active)):
            self.notify(f"{name}: {'on' if active else 'off'}", markup=False, timeout=3)
            self.reload()

    @work(group="move")
    async def action_move(self, by: int) -> None:
        """Let it be done before the one above it, or after the one below."""
        one, learning = self.table.current, self.hub.source.learning
        if one is None:
            return
        if self.is_arranged:
            self.notify("The list is sorted or filtered: rules move in their own order only.")
        elif await self.hub.do(lambda: learning.move(one.name, by)):
            self.reload()

    @work(group="test_on")
    async def action_test_on(self) -> None:
        """See what it would change in a call that a person names."""
        one, hub = self.table.current, self.hub
        if one is None:
            return
        told = "its id, or how that begins or ends; y copies it in Live"
        question = f"Test {plain.short(one.name, 50)} on which call?"
        call = await self.app.push_screen_wait(AskScreen(question, told))
        if not call:
            return
        now, zone = hub.now(), hub.zone

        def make() -> list[Line]:
            tried, is_for = hub.source.learning.try_on(one.name, call)
            return tried_words.of_one(tried, is_for, now, zone)

        self.app.push_screen(PageScreen(one.name, f"on the call {plain.line(call, 40)}", make))

    def action_test(self) -> None:
        """See what it would change in the newest calls that it is for."""
        one, hub = self.table.current, self.hub
        if one is None:
            return
        now, zone = hub.now(), hub.zone

        def make() -> list[Line]:
            return tried_words.of_all(
                hub.source.learning.try_rule(one.name, limit=TRIED), now, zone
            )

        self.app.push_screen(PageScreen(one.name, "on the newest calls that it is for", make))
