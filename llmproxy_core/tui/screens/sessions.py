"""Sessions: conversations with their turns, tokens and cost."""

from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmproxy_core.store.rows import Flow, Session
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.flow_columns import client_name, elapsed_ms, model_name, status_tone
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance
from llmproxy_core.tui.widgets.table import Table

LIMIT = 500
TURNS = 1000
REFRESH_SECONDS = 1.0

type Node = Session | Flow
"""A line of the tree: a session, or below it one of its turns."""


def _title(node: Node, glance: Glance) -> Cell:
    if isinstance(node, Session):
        sign = "▾" if node.id in glance.streamed else "▸"
        return Cell(f"{sign} {plain.line(node.title or node.model or node.provider)}", "strong")
    said = plain.line(node.error or node.preview or f"{node.method} {node.path}")
    return Cell(
        f"  └ {figures.clock(node.started_at, glance.zone)} {said}",
        status_tone(node) if node.error else "dim",
    )


def _turns(node: Node, glance: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(str(node.requests))
    return Cell(str(node.status or "…"), status_tone(node))


def _cost(node: Node, _: Glance) -> Cell:
    return Cell(figures.usd(node.cost_usd), "accent" if node.cost_usd else "faint")


def _tokens(value: int | None) -> Cell:
    return Cell(figures.tokens(value), "text" if value else "faint")


def _errors(node: Node, _: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(str(node.errors) if node.errors else "", "bad")
    return Cell("")


def _last(node: Node, glance: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(figures.ago(node.last_at, glance.now), "dim")
    took = node.duration_ms if node.state != "open" else elapsed_ms(node, glance)
    return Cell(figures.ms(took), "busy" if node.state == "open" else "dim")


COLUMNS: tuple[Column[Node], ...] = (
    Column("Session", 34, 0, _title, grow=6),
    Column("Client", 12, 7, lambda node, _: Cell(client_name(node), "dim"), grow=1, most=16),
    Column(
        "Model",
        14,
        6,
        lambda node, _: Cell(model_name(node), "second"),
        grow=1,
        most=26,
    ),
    Column("Turns", 5, 1, _turns, right=True),
    Column("In", 6, 4, lambda node, _: _tokens(node.input_tokens), right=True),
    Column("Cached", 6, 8, lambda node, _: _tokens(node.cached_tokens), right=True),
    Column("Out", 6, 5, lambda node, _: _tokens(node.output_tokens), right=True),
    Column("Cost", 8, 2, _cost, right=True),
    Column("Err", 3, 9, _errors, right=True),
    Column("Last", 6, 3, _last, right=True),
)


class SessionsScreen(ModeScreen):
    MODE = "sessions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "expand", "Unfold", key_display="→"),
        Binding("left", "collapse", "Fold", key_display="←"),
        Binding("l", "live", "Show in Live"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[Session] = []
        self.turns: dict[UUID, list[Flow]] = {}
        """The unfolded sessions with their turns, the first one first."""
        self._stale = True

    def body(self) -> ComposeResult:
        self.table: Table[Node] = Table(COLUMNS, lambda node: node.id, id="sessions")
        yield self.table.header
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()
        self.set_interval(REFRESH_SECONDS, self._freshen)
        self.reload()

    def on_screen_resume(self) -> None:
        self._freshen()

    def take_update(self, update: Update) -> None:
        self._stale |= bool(update.flows) or update.overflow

    def _freshen(self) -> None:
        if self._stale and self.is_current:
            self.reload()

    @work(exclusive=True, group="sessions")
    async def reload(self) -> None:
        source = self.hub.source
        sessions = await self.hub.ask(lambda: source.sessions(limit=LIMIT))
        if sessions is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self._stale = False
        self.sessions = sessions
        for session_id in list(self.turns):
            await self._read_turns(session_id)
        self._redraw()

    async def _read_turns(self, session_id: UUID) -> None:
        source = self.hub.source
        turns = await self.hub.ask(lambda: source.flows(limit=TURNS, session=session_id))
        if turns is not None:
            self.turns[session_id] = turns[::-1]

    def _redraw(self) -> None:
        glance = self.hub.glance()
        glance.streamed = dict.fromkeys(self.turns, 0)
        self.table.use_glance(glance)
        rows: list[Node] = []
        for session in self.sessions:
            rows.append(session)
            rows += self.turns.get(session.id, [])
        self.table.show(rows)
        count = len(self.sessions)
        more = "+" if count == LIMIT else ""
        self.note(f"{count}{more} session{'s' * (count != 1)}" if count else "no sessions yet")

    # what a person does ----------------------------------------------------------------------

    def _session(self) -> UUID | None:
        node = self.table.current
        if node is None:
            return None
        return node.id if isinstance(node, Session) else node.session_id

    def on_table_chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, Flow):
            self.app.push_screen(DetailScreen(event.row.id, self.step))
        elif isinstance(event.row, Session):
            if event.row.id in self.turns:
                self.action_collapse()
            else:
                self.action_expand()

    def step(self, by: int) -> Flow | None:
        """The next turn of the same session; the cursor goes there, too."""
        index = self.table.cursor + by
        node = self.table.rows[index] if 0 <= index < len(self.table.rows) else None
        if not isinstance(node, Flow):
            return None
        self.table.move(index)
        return node

    @work(group="turns")
    async def action_expand(self) -> None:
        node = self.table.current
        if isinstance(node, Session) and node.id not in self.turns:
            await self._read_turns(node.id)
            self._redraw()

    def action_collapse(self) -> None:
        session_id = self._session()
        if session_id in self.turns:
            del self.turns[session_id]
            index = next(i for i, row in enumerate(self.table.rows) if row.id == session_id)
            self.table.move(index)
            self._redraw()

    def action_live(self) -> None:
        if (session_id := self._session()) is not None:
            self.llmproxy.show_live(f"session:{session_id}")
