"""The finding under the cursor: its evidence, whose call it is in, what policies decided."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.flows import Flow
from llmproxy_core.store.guard_rows import Anomaly, PolicyDecision
from llmproxy_core.tui import figures, guard_words, plain
from llmproxy_core.tui.flow_columns import client_name, model_name, short_id
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.hub import Hub
from llmproxy_core.tui.widgets.resting_pane import RestingPane


class EvidencePane(RestingPane):
    """`follow` a finding."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: Anomaly | None = None
        self._told: tuple[Content, ...] = ()

    def compose(self) -> ComposeResult:
        self._evidence = Static(id="evidence", markup=False)
        yield self._evidence

    def follow(self, one: Anomaly | None) -> None:
        """Show this finding at once, and what is known of its call as soon as the cursor rests."""
        another = one is None or self.shown is None or one.id != self.shown.id
        self.shown = one
        if another:
            self._told = ()
            self.scroll_home(animate=False)
        self._draw()
        self.at_rest(None if one is None else self._read)

    def _draw(self) -> None:
        now, zone = self.hub.now(), self.hub.zone
        said = Content("")
        if self.shown is not None:
            said = guard_words.finding(self.shown, now, zone)
            if self._told:
                said = Content("\n").join([said, Content(""), *self._told])
        self._evidence.update(said)

    async def _read(self) -> None:
        one, source = self.shown, self.hub.source
        if one is None:
            return
        request = one.last_request_id
        flows = await self.hub.ask(lambda: source.flows_by_id([request]))
        decided = await self.hub.ask(lambda: source.guard.decided_about(request))
        if self.shown is None or self.shown.id != one.id:
            return
        self._told = _told(flows or [], decided or [], self.hub)
        self._draw()


def _told(flows: list[Flow], decided: list[PolicyDecision], hub: Hub) -> tuple[Content, ...]:
    lines = [guard_words.decision(one) for one in guard_words.final(decided)]
    for flow in flows:
        at = figures.moment(flow.started_at, hub.now(), hub.zone)
        key = f"  key {plain.line(flow.credential)}" if flow.credential else ""
        lines.append(
            Content.assemble(
                (f"call {short_id(flow.id)}  {at}  ", FAINT),
                (f"{client_name(flow)}  {model_name(flow)}", "$secondary"),
                (f"  {plain.line(flow.namespace)}{key}", FAINT),
            )
        )
    return tuple(lines or [Content.styled("its call is not kept any more", FAINT)])
