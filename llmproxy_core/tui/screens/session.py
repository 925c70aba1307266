"""Session: one conversation as a tree, with its branches, sub-agents and missed prompt caches."""

from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, Static

from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.misses import Misses
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.session_tree import ASIDES, Heading, Line, TreeLines, TurnLine
from llmproxy_core.tui.tree_columns import columns_for, is_open
from llmproxy_core.tui.tree_words import about, nothing, selected
from llmproxy_core.tui.widgets.side_pane import SidePane
from llmproxy_core.tui.widgets.table import Table

REFRESH_SECONDS = 0.5
TICK = 0.2
MISSES_AT_ONCE = 8


class SessionScreen(HubScreen):
    """`at`: the call to begin at; None: the newest."""

    HELP = "One session"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("left", "fold", "Fold", show=False),
        Binding("e", "fold_all", "Fold all"),
        Binding("p", "parent", "Parent"),
        Binding("right_square_bracket", "sibling(1)", "Next branch", key_display="]"),
        Binding("left_square_bracket", "sibling(-1)", "Branch before", show=False),
        Binding("m", "missed", "Next miss"),
        Binding("f", "follow", "Newest", show=False),
        Binding("v", "side", "Side pane"),
        Binding("asterisk", "star", "Star", key_display="*"),
        Binding("l", "live", "In Live"),
        Binding("y", "copy", "Copy id", show=False),
    ]
    DEFAULT_CSS = """
    #session-head { height: 2; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    #session-body { height: 1fr; }
    #session-said {
        height: 6; padding: 0 1; background: $surface; color: $foreground 85%;
        border-top: solid $foreground 20%;
    }
    """

    def __init__(self, session_id: UUID, at: UUID | None = None) -> None:
        super().__init__()
        self.session_id = session_id
        self.lines: TreeLines | None = None
        self.folded: set[int] = {ASIDES}
        self.misses = Misses()
        self._at = at
        self._stale = False
        self._follow = at is None

    def compose(self) -> ComposeResult:
        self.table: Table[Line] = Table(
            [], lambda line: line.key, steady=lambda line: not is_open(line), id="tree"
        )
        yield Static(id="session-head", markup=False)
        yield self.table.header
        with Horizontal(id="session-body"):
            yield self.table
            yield SidePane()
        yield Static(id="session-said", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.hub.updates.subscribe(self, self.take_update)
        self.set_interval(REFRESH_SECONDS, self._freshen)
        self.set_interval(TICK, self._tick)
        self.table.focus()
        self.reload()

    # what comes in ---------------------------------------------------------------------------

    def take_update(self, update: Update) -> None:
        mine = any(flow.session_id == self.session_id for flow in update.flows)
        self._stale |= mine or update.overflow

    def _freshen(self) -> None:
        if self._stale and self.is_current:
            self.reload()

    @work(exclusive=True, group="tree")
    async def reload(self) -> None:
        """Read the whole tree."""
        self._stale = False
        source, session_id = self.hub.source, self.session_id
        tree = await self.hub.ask(lambda: source.tree(session_id))
        if tree is None:
            if self.lines is None:
                self.query_one("#session-head", Static).update(nothing(session_id))
            return
        begun = self.lines is None
        self.lines = TreeLines(tree)
        self._redraw()
        if begun or self._follow:
            self.go_to(self._at or tree.nodes[-1].id if tree.nodes else None)
            self._at = None
        self._tell()
        self.explain()

    @work(exclusive=True, group="misses")
    async def explain(self) -> None:
        """Look for missed caches, the newest first."""
        lines, source = self.lines, self.hub.source
        if lines is None:
            return
        ns_id, unknown = lines.tree.session.ns_id, self.misses.unknown(lines.tree.nodes)
        for start in range(0, len(unknown), MISSES_AT_ONCE):
            ids = unknown[start : start + MISSES_AT_ONCE]
            found = await self.hub.ask(lambda ids=ids: source.misses(ns_id, ids))  # type: ignore[misc]
            if found is None:
                return
            self.misses.found |= found
            if any(found.values()):
                self.table.painter.forget()
                self.table.refresh()
            self._tell()

    # what is shown ---------------------------------------------------------------------------

    def _redraw(self) -> None:
        if self.lines is None:
            return
        self.table.use_glance(self.hub.glance())
        columns = columns_for(self.misses, self.lines.tree.nodes, self.hub.now(), self.hub.zone)
        if [c.width for c in columns] != [c.width for c in self.table.painter.columns]:
            self.table.use_columns(columns)
        self.table.show(self.lines.visible(self.folded))

    def _tick(self) -> None:
        if not self.is_current:
            return
        self.table.use_glance(self.hub.glance())
        for index in self.table.rows_on_screen():
            if is_open(self.table.rows[index]):
                self.table.refresh_row(index)

    def _tell(self) -> None:
        if self.lines is None:
            return
        self.query_one("#session-head", Static).update(about(self.lines, self.misses))
        line = self.table.current
        self.query_one("#session-said", Static).update(
            selected(line, self.lines, self.misses, self.hub.glance()) if line else ""
        )
        self.query_one(SidePane).follow(line.node.id if isinstance(line, TurnLine) else None)

    def go_to(self, id: UUID | None) -> None:
        """Put the cursor on a call; the branch that it is in, and those above, are unfolded."""
        if self.lines is None or id not in self.lines.by_id:
            return
        node = self.lines.by_id[id]
        number = ASIDES if node.branch is None else node.branch
        self._open_up(number)
        self._move_to(id)

    def _open_up(self, number: int) -> None:
        """Unfold a branch and those that it hangs below."""
        above: int | None = number
        before = len(self.folded)
        while above is not None and self.lines is not None:
            self.folded.discard(above)
            above = self.lines.above(above)
        if len(self.folded) != before:
            self._redraw()

    def _move_to(self, key: object) -> None:
        for index, line in enumerate(self.table.rows):
            if line.key == key:
                self.table.move(index)
                return

    # what a person does ----------------------------------------------------------------------

    def on_table_moved(self, event: Table.Moved) -> None:
        last = self.lines.tree.nodes[-1].id if self.lines and self.lines.tree.nodes else None
        self._follow = self.table.current is not None and self.table.current.key == last
        self._tell()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, TurnLine):
            self.app.push_screen(DetailScreen(event.row.node.id, self.step))
        elif isinstance(event.row, Heading):
            self._fold(event.row.number, event.row.number not in self.folded)

    def step(self, by: int) -> UUID | None:
        """The call `by` lines below; the cursor goes there, too."""
        index = self.table.cursor + by
        while 0 <= index < len(self.table.rows):
            line = self.table.rows[index]
            if isinstance(line, TurnLine):
                self.table.move(index)
                return line.node.id
            index += 1 if by > 0 else -1
        return None

    def _fold(self, number: int, folded: bool) -> None:
        (self.folded.add if folded else self.folded.discard)(number)
        self._redraw()
        self._tell()

    def _branch(self) -> int | None:
        line = self.table.current
        return self.lines.branch_of(line) if line is not None and self.lines is not None else None

    def action_fold(self) -> None:
        """Fold the branch that the cursor is in; the cursor goes to its heading."""
        number = self._branch()
        if number is not None and self.lines is not None and len(self.lines.members) > 1:
            self._move_to(("branch", number))
            self._fold(number, True)

    def action_unfold(self) -> None:
        if isinstance(self.table.current, Heading):
            self._fold(self.table.current.number, False)

    def action_fold_all(self) -> None:
        """Fold all branches but the first, or unfold them."""
        if self.lines is None or len(self.lines.members) < 2:
            return
        others = set(self.lines.numbers) - {self.lines.numbers[0]}
        here = self._branch()
        self.folded = set() if others <= self.folded else others
        self._redraw()
        if here in self.folded:
            self._move_to(("branch", here))
        self._tell()

    def action_parent(self) -> None:
        """Go to the call that this one comes from; of a branch, that which it leaves."""
        line = self.table.current
        if line is None or self.lines is None:
            return
        parent = line.node.parent_id
        if parent is None:
            self.notify("Nothing known comes before this call.")
        elif parent in self.lines.by_id:
            self.go_to(parent)
        else:
            self.go_to_another_session(parent)

    @work(group="parent")
    async def go_to_another_session(self, id: UUID) -> None:
        source = self.hub.source
        found = await self.hub.ask(lambda: source.flows_by_id([id]))
        if found:
            self.app.push_screen(SessionScreen(found[0].session_id, id))
        else:
            self.notify(f"The call {id} is not stored (any more).", severity="warning")

    def action_sibling(self, by: int) -> None:
        """Go to the next branch that leaves where this one does; from the last to the first."""
        number = self._branch()
        if number is None or self.lines is None:
            return
        siblings = self.lines.siblings(number)
        if len(siblings) < 2:
            siblings = self.lines.numbers
        if len(siblings) < 2:
            self.notify("This session has one branch.")
            return
        target = siblings[(siblings.index(number) + by) % len(siblings)]
        if (above := self.lines.above(target)) is not None:
            self._open_up(above)
        self._move_to(("branch", target))

    def action_missed(self) -> None:
        """Go to the next call that missed a prompt cache."""
        if self.lines is None:
            return
        missed = [node.id for node in self.lines.tree.nodes if self.misses.of(node.id)]
        if not missed:
            self.notify("No prompt cache was missed, as far as is known.")
            return
        here = self.table.current.node.id if self.table.current else missed[0]
        later = [id for id in missed if id > here]
        self.go_to((later or missed)[0])

    def action_follow(self) -> None:
        """Go to the newest call, and stay on the newest."""
        if self.lines is not None and self.lines.tree.nodes:
            self.go_to(self.lines.tree.nodes[-1].id)

    def action_side(self) -> None:
        self.query_one(SidePane).toggle()
        self._tell()

    @work(group="star")
    async def action_star(self) -> None:
        if self.lines is None:
            return
        source, session = self.hub.source, self.lines.tree.session
        starred = not session.starred
        await self.hub.ask(lambda: source.star(session.id, starred=starred))
        self.reload()

    def action_live(self) -> None:
        self.app.pop_screen()
        self.llmproxy.show_live(f"session:{self.session_id}")

    def action_copy(self) -> None:
        line = self.table.current
        copied = line.node.id if isinstance(line, TurnLine) else self.session_id
        self.app.copy_to_clipboard(str(copied))
        self.notify(f"Copied {copied}")
