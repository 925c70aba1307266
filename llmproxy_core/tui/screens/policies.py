"""Policies: which there are, how often they applied, and which of them are in force."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.plural import counted
from llmproxy_core.sections.policies import Mode
from llmproxy_core.tui import plain, policy_words
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.guard import PolicyLine
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.policy_columns import COLUMNS
from llmproxy_core.tui.screens.asking import AskScreen
from llmproxy_core.tui.screens.decisions import DecisionsScreen
from llmproxy_core.tui.screens.trial import TrialScreen
from llmproxy_core.tui.widgets.table import Table

REFRESH_SECONDS = 2.0
DAYS = 7
STOPPING = frozenset({"block", "hold", "allow_models", "deny_tools", "throttle"})
"""Actions that a program notices."""
EMPTY = Content.assemble(
    ("No policies yet.", "bold"),
    "\n\nA policy says what becomes of calls with something in them: flag, mask, block, hold …",
    "\nBegin in shadow: it then only tells what it would do.\n\n",
    ("    llmproxy policies add no-secrets --mode shadow --action block \\\n", "bold $accent"),
    ("        --when 'finding.family == \"secret\"'", "bold $accent"),
    "\n\nor a table [[policies]] in mitm.toml.",
)


class PoliciesScreen(ModeScreen):
    MODE = "policies"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "mode('active')", "Active"),
        Binding("s", "mode('shadow')", "Shadow"),
        Binding("o", "mode('off')", "Off"),
        Binding("e", "trial", "Test on 7 days"),
        Binding("y", "copy", "Copy name", show=False),
    ]
    DEFAULT_CSS = """
    PoliciesScreen {
        & #policies-body { height: 1fr; layers: below above; }
        & #policies-empty {
            layer: above; width: 100%; height: 100%; padding: 1 2; background: $background;
            color: $foreground 75%;
        }
        & #policy-pane {
            height: 40%; min-height: 5; padding: 0 1; border-top: solid $foreground 20%;
            scrollbar-size-vertical: 1;
        }
        & #policy { height: auto; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.policies: list[PolicyLine] | None = None
        self._stale = True
        self._quiet = 0

    def body(self) -> ComposeResult:
        self.table: Table[PolicyLine] = Table(COLUMNS, lambda one: one.name, id="policies")
        yield self.table.header
        with Container(id="policies-body"):
            yield self.table
            yield Static(id="policies-empty")
        with VerticalScroll(id="policy-pane", can_focus=False):
            yield Static(id="policy")

    def on_mount(self) -> None:
        self.table.focus()
        self.set_interval(REFRESH_SECONDS, self._freshen)
        self.reload()

    def on_screen_resume(self) -> None:
        self.reload()

    def take_update(self, update: Update) -> None:
        self._stale |= bool(update.flows) or update.overflow

    def _freshen(self) -> None:
        """Others change policies, too: look now and then though nothing was heard."""
        self._quiet += 1
        if self.is_current and (self._stale or self._quiet >= 3):
            self.reload()

    @work(exclusive=True, group="policies")
    async def reload(self) -> None:
        found = await self.hub.ask(self.hub.source.guard.policies)
        if found is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self.policies, self._stale, self._quiet = found, False, 0
        self.table.use_glance(self.hub.glance())
        self.table.show(found)
        self._tell()

    def _tell(self) -> None:
        found = self.policies or []
        active = sum(one.policy.mode == "active" for one in found)
        shadow = sum(one.policy.mode == "shadow" for one in found)
        self.note(f"{active} active, {shadow} in shadow" if found else "")
        empty = self.query_one("#policies-empty", Static)
        empty.display = not found
        empty.update(EMPTY if self.policies is not None else Content("Reading …"))
        self._tell_current()

    def _tell_current(self) -> None:
        one = self.table.current
        said = policy_words.policy(one, self.hub.now(), self.hub.zone) if one else Content("")
        self.query_one("#policy", Static).update(said)

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self) -> None:
        self._tell_current()

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

    def action_copy(self) -> None:
        if self.table.current is not None:
            self.app.copy_to_clipboard(self.table.current.name)
            self.notify(f"Copied {plain.line(self.table.current.name)}", markup=False)
