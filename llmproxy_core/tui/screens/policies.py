"""Policies: which there are, how often they applied, and which of them are in force."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from llmproxy_core.plural import counted
from llmproxy_core.sections.policies import Mode
from llmproxy_core.tui import plain, policy_words
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.guard import PolicyLine
from llmproxy_core.tui.policy_columns import COLUMNS
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.decisions import DecisionsScreen
from llmproxy_core.tui.screens.listing import ListScreen
from llmproxy_core.tui.screens.trial import TrialScreen
from llmproxy_core.tui.widgets.words_pane import ToldPane

DAYS = 7
STOPPING = frozenset({"block", "hold", "allow_models", "deny_tools", "throttle"})
"""Actions that a program notices."""
EMPTY = Content.assemble(
    ("No policies yet.", "bold"),
    "\n\nA policy says what becomes of calls with something in them: flag, mask, block, hold … ",
    "Begin in shadow: it then only tells what it would do.\n\n",
    ("    llmproxy policies add no-secrets --mode shadow --action block \\\n", "bold $accent"),
    ("        --when 'finding.family == \"secret\"'", "bold $accent"),
    "\n\nor a table [[policies]] in mitm.toml.",
)


class PoliciesScreen(ListScreen[PolicyLine]):
    MODE = "policies"
    COLUMNS = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "mode('active')", "Active"),
        Binding("s", "mode('shadow')", "Shadow"),
        Binding("o", "mode('off')", "Off"),
        Binding("e", "trial", "Test on 7 days"),
    ]

    def read(self) -> list[PolicyLine]:
        return self.hub.source.guard.policies()

    def heard(self, update: Update) -> bool:
        return bool(update.flows)

    def key(self, row: PolicyLine) -> str:
        return row.name

    def words(self, row: PolicyLine) -> str:
        return f"{row.name} {row.policy.action} {row.policy.mode} {row.policy.expression}"

    def told(self, rows: Sequence[PolicyLine]) -> str:
        active = sum(one.policy.mode == "active" for one in rows)
        shadow = sum(one.policy.mode == "shadow" for one in rows)
        return f"{active} active, {shadow} in shadow"

    def nothing(self) -> Content:
        return EMPTY

    def pane(self) -> Iterator[Widget]:
        yield ToldPane()

    def follow(self, row: PolicyLine | None) -> None:
        said = policy_words.policy(row, self.hub.now(), self.hub.zone) if row else Content("")
        self.query_one(ToldPane).show(said)

    # what a person does ----------------------------------------------------------------------

    def on_table_chosen(self) -> None:
        if self.table.current is not None:
            self.app.push_screen(DecisionsScreen(self.table.current.name))

    @work(group="mode")
    async def action_mode(self, mode: Mode) -> None:
        """Put it into force, let it only tell, or leave it out. Asks before it may stop programs."""
        one, guard = self.table.current, self.hub.source.guard
        if one is None or one.policy.mode == mode:
            return
        name = plain.line(one.name)
        if mode == "active" and one.policy.action in STOPPING:
            told = f"Applied {counted(one.hits_week, 'time')} in the last 7 days; e tests it on these calls."
            question = f"{name} will be enforced ({one.policy.action.replace('_', ' ')})."
            if await self.app.push_screen_wait(AskScreen(question, told, sure="Enter: do")) is None:
                return
        if await self.hub.do(lambda: guard.set_mode(one.name, mode)):
            self.notify(f"{name}: {mode}", markup=False, timeout=3)
            self.reload()

    def action_trial(self) -> None:
        """See what it would have done with the calls of the last days."""
        if self.table.current is not None:
            self.app.push_screen(TrialScreen(self.table.current.name, DAYS))
