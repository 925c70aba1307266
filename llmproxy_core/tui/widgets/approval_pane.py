"""The call that waits under the cursor: who asks, for what, and what was found in it."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.flows import Flow
from llmproxy_core.store.guard_rows import Anomaly, Approval
from llmproxy_core.tui import figures, guard_words, plain
from llmproxy_core.tui.approval_columns import is_waiting, seconds_left, why
from llmproxy_core.tui.flow_columns import client_name, model_name, short_id
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.widgets.resting_pane import RestingPane

FULL = 30
"""Cells of the bar."""


class ApprovalPane(RestingPane):
    """`follow` a call that waits; `tick` as time passes."""

    DEFAULT_CSS = "ApprovalPane { height: 50%; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown: Approval | None = None
        self.flow: Flow | None = None
        self.findings: list[Anomaly] = []

    def compose(self) -> ComposeResult:
        self._waiting, self._findings = Static(markup=False), Static(markup=False)
        yield from (self._waiting, self._findings)

    def follow(self, one: Approval | None, flow: Flow | None) -> None:
        """Show it at once, and what was found in its call as soon as the cursor rests."""
        if self.shown is None or one is None or one.request_id != self.shown.request_id:
            self.findings = []
            self._tell_findings()
            self.scroll_home(animate=False)
        self.shown, self.flow = one, flow
        self.tick()
        self.at_rest(None if one is None else self._read)

    def tick(self) -> None:
        said = Content("") if self.shown is None else self._said(self.shown)
        self._waiting.update(said)

    def _said(self, one: Approval) -> Content:
        lines = [
            self._time(one),
            Content.styled(why(one, self.flow), "bold"),
            Content.styled(f"policy {plain.line(one.policy)}", FAINT),
        ]
        if one.tool:
            lines[-1] += Content.styled(f", the tool {plain.line(one.tool)}", FAINT)
        if (flow := self.flow) is not None:
            call = f"call {short_id(flow.id)} in {plain.line(flow.namespace)}"
            lines.append(
                Content.assemble(
                    (f"{call}  ", FAINT),
                    (f"{client_name(flow)}  {model_name(flow)}  ", "$secondary"),
                    (f"{plain.line(flow.proxy_user or flow.credential or '')}", FAINT),
                )
            )
            if one.said and flow.preview:
                lines.append(Content(f"asks: {plain.line(flow.preview)}"))
        return Content("\n").join(lines)

    def _time(self, one: Approval) -> Content:
        now = self.hub.now()
        if not is_waiting(one, now):
            state = "it was too late" if one.state == "waiting" else one.state
            by = f" by {plain.line(one.decided_by)}" if one.decided_by else ""
            because = f": {plain.line(one.why)}" if one.why else ""
            at = figures.moment(one.decided_at or one.expires_at, now, self.hub.zone)
            return Content.styled(f"{state}{by}, {at}{because}", "$secondary")
        rest = seconds_left(one, now)
        whole = max(1.0, (one.expires_at - one.asked_at).total_seconds())
        filled = min(FULL, round(FULL * rest / whole))
        return Content.assemble(
            ("━" * filled, "$warning"),
            ("─" * (FULL - filled), "$foreground 25%"),
            f"  {rest:.0f} s left",
        )

    async def _read(self) -> None:
        one, guard = self.shown, self.hub.source.guard
        if one is None:
            return
        found = await self.hub.ask(lambda: guard.found_in(one.request_id))
        if self.shown is not None and self.shown.request_id == one.request_id:
            self.findings = found or []
            self._tell_findings()

    def _tell_findings(self) -> None:
        now, zone = self.hub.now(), self.hub.zone
        said = [guard_words.finding(one, now, zone) for one in self.findings]
        told = Content("\n") + Content("\n\n").join(said) if said else Content("")
        self._findings.update(told)
