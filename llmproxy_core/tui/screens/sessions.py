"""Sessions: conversations with their turns, tokens and cost.

Scripts make sessions of one call, hundreds of them; those are left out until `o` asks for them.
"""

from typing import ClassVar
from uuid import UUID

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmproxy_core.store.flows import Flow, Session
from llmproxy_core.store.overview import Family, Overview
from llmproxy_core.tui.feed import Update
from llmproxy_core.tui.hub import ModeScreen
from llmproxy_core.tui.screens.detail import DetailScreen
from llmproxy_core.tui.screens.session import SessionScreen
from llmproxy_core.tui.session_columns import Node, columns
from llmproxy_core.tui.widgets.table import Table

LIMIT = 500
TURNS = 1000
REFRESH_SECONDS = 1.0


class SessionsScreen(ModeScreen):
    MODE = "sessions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "expand", "Unfold", key_display="→"),
        Binding("left", "collapse", "Fold", key_display="←"),
        Binding("asterisk", "star", "Star", key_display="*"),
        Binding("o", "single", "One-call sessions"),
        Binding("l", "live", "Show in Live"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[Session] = []
        self.turns: dict[UUID, list[Flow]] = {}
        """The unfolded sessions with their turns, the first one first."""
        self.families: dict[UUID, Family] = {}
        self.single = False
        """Are sessions of one call shown, too?"""
        self.left_out = 0
        self._counted: dict[UUID, int] = {}
        self._stale = True

    def body(self) -> ComposeResult:
        shown = columns(self.turns, self.families)
        self.table: Table[Node] = Table(shown, lambda node: node.id, id="sessions")
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
        if not self.is_current:
            return
        if self._stale:
            self.reload()
        else:
            self._count_kin()

    @work(exclusive=True, group="sessions")
    async def reload(self) -> None:
        found = await self.hub.ask(self._read)
        if found is None:
            self.note(("the database is not up yet, retrying", "$warning"))
            return
        self._stale = False
        self.sessions, self.left_out = found.sessions, found.single
        for session_id in list(self.turns):
            await self._read_turns(session_id)
        self._redraw()
        self._count_kin()

    def _read(self) -> Overview:
        """Without those of one call, unless there are no others."""
        source = self.hub.source
        found = Overview() if self.single else source.sessions(limit=LIMIT)
        return found if found.sessions else source.sessions(limit=LIMIT, single=True)

    @work(exclusive=True, group="kin")
    async def _count_kin(self) -> None:
        """Count sub-agents and branches of the sessions on screen that have grown."""
        rows = [self.table.rows[index] for index in self.table.rows_on_screen()]
        grown = [
            row
            for row in rows
            if isinstance(row, Session) and self._counted.get(row.id) != row.requests
        ]
        ids, source = [row.id for row in grown if row.requests > 1], self.hub.source
        found = await self.hub.ask(lambda: source.families(ids)) if ids else None
        if found is not None:
            self._counted.update((row.id, row.requests) for row in grown)
            self.families.update(found)
            self.table.refresh()

    async def _read_turns(self, session_id: UUID) -> None:
        source = self.hub.source
        turns = await self.hub.ask(lambda: source.flows(limit=TURNS, session=session_id))
        if turns is not None:
            self.turns[session_id] = turns[::-1]

    def _redraw(self) -> None:
        self.table.use_glance(self.hub.glance())
        rows: list[Node] = []
        for session in self.sessions:
            rows.append(session)
            rows += self.turns.get(session.id, [])
        self.table.show(rows)
        self._tell()

    def _tell(self) -> None:
        count = len(self.sessions)
        more = "+" if count == LIMIT else ""
        said = f"{count}{more} session{'s' * (count != 1)}" if count else "no sessions yet"
        if self.left_out:
            said += f", {self.left_out:,} of one call left out (o shows)"
        elif self.single:
            said += ", those of one call, too (o leaves them out)"
        self.note(said)

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
            self.app.push_screen(SessionScreen(event.row.id))

    def step(self, by: int) -> UUID | None:
        """The next turn of the same session; the cursor goes there, too."""
        index = self.table.cursor + by
        node = self.table.rows[index] if 0 <= index < len(self.table.rows) else None
        if not isinstance(node, Flow):
            return None
        self.table.move(index)
        return node.id

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

    def action_single(self) -> None:
        """Show sessions of one call, too, or leave them out."""
        self.single = not self.single
        self.reload()

    @work(group="star")
    async def action_star(self) -> None:
        """Star the session, so that it is kept whatever the retention says; or take the star away."""
        session_id = self._session()
        session = next((one for one in self.sessions if one.id == session_id), None)
        if session is not None:
            source, starred = self.hub.source, not session.starred
            await self.hub.ask(lambda: source.star(session.id, starred=starred))
            self.reload()
