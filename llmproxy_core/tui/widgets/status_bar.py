"""The bottom line: proxy, backlog, calls a second, database, open calls, cost today; and alerts."""

from dataclasses import dataclass, field
from decimal import Decimal

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from llmproxy_core.store.progress import Losses
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.feed import Link
from llmproxy_core.tui.health import ProxyHealth

BACKLOG_WORTH_A_WARNING = 1_000_000


@dataclass(frozen=True, slots=True)
class Status:
    """All that the status bar tells. `backlog` in bytes; None: not known (yet)."""

    proxy: ProxyHealth | None = None
    backlog: int | None = None
    rate: float = 0.0
    link: Link = "connecting"
    problem: str = ""
    running: int | None = None
    cost_today: Decimal | None = None
    losses: Losses = field(default_factory=Losses)
    """Of the last day."""
    used_up: tuple[str, ...] = ()
    """Limits at which calls are refused."""


def status_line(status: Status, width: int) -> Content:
    """As many of the facts as fit into `width` cells, those that matter first."""
    parts: list[Content | None] = [_proxy(status), _database(status), _losses(status.losses)]
    parts.append(_used_up(status))
    parts += [_running(status), _cost(status), _rate(status), _backlog(status)]
    shown: list[Content] = []
    used = 1
    for part in (part for part in parts if part is not None):
        if used + part.cell_length + 3 <= width or not shown:
            shown.append(part)
            used += part.cell_length + 3
    return Content(" ") + Content.styled(" │ ", "$foreground 30%").join(shown)


def _proxy(status: Status) -> Content:
    proxy = status.proxy
    if proxy is None:
        return Content.styled("proxy …", "$foreground 60%")
    if proxy.up:
        return Content.assemble(("● ", "$success"), f"proxy {plain.line(proxy.address)}")
    where = f" ({plain.line(proxy.address)})" if proxy.address else ""
    return Content.assemble(("○ ", "$error"), (f"proxy down{where}", "$error"))


def _database(status: Status) -> Content:
    if status.link == "up":
        return Content.assemble(("● ", "$success"), "database")
    if status.link == "connecting":
        return Content.assemble(("◌ ", "$warning"), ("database: connecting …", "$warning"))
    return Content.assemble(("○ ", "$error"), ("database not up yet, retrying", "$error"))


def _losses(losses: Losses) -> Content | None:
    """What the last day lost; the Events screen tells more of it."""
    counts = (
        (losses.records, "lost record", "lost records"),
        (losses.bodies, "lost body", "lost bodies"),
        (losses.damaged, "damaged journal", "damaged journals"),
        (losses.refused, "refused row", "refused rows"),
    )
    told = [f"{number:,} {one if number == 1 else many}" for number, one, many in counts if number]
    return Content.styled("▲ " + ", ".join(told), "bold $error") if told else None


def _used_up(status: Status) -> Content | None:
    """`llmproxy limits` tells more of it."""
    if not status.used_up:
        return None
    first, *others = status.used_up
    more = f" and {len(others)} more" if others else ""
    return Content.styled(f"▲ limit {plain.line(first)}{more} used up", "bold $warning")


def _running(status: Status) -> Content | None:
    if status.running is None:
        return None
    return Content.styled(f"{status.running} running", "$primary" if status.running else "")


def _rate(status: Status) -> Content:
    return Content(f"{figures.rate(status.rate)} calls/s")


def _cost(status: Status) -> Content | None:
    if status.cost_today is None:
        return None
    return Content.styled(f"{figures.usd(status.cost_today)} today", "$accent")


def _backlog(status: Status) -> Content | None:
    if status.backlog is None:
        return None
    late = status.backlog > BACKLOG_WORTH_A_WARNING
    return Content.styled(f"backlog {figures.size(status.backlog)}", "$warning" if late else "")


class StatusBar(Static):
    DEFAULT_CSS = """
    StatusBar { height: 1; background: $panel; color: $foreground 85%; text-wrap: nowrap; }
    """
    status: reactive[Status] = reactive(Status())

    def watch_status(self) -> None:
        width = self.size.width or self.app.size.width
        self.update(status_line(self.status, width), layout=False)

    def on_resize(self) -> None:
        self.watch_status()


class AlertBar(Static):
    """A line that is only there when something needs doing; a click or `x` puts it away."""

    DEFAULT_CSS = """
    AlertBar {
        height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; display: none;
        background: $warning 25%; color: $foreground;
    }
    AlertBar.-shown { display: block; }
    """
    alert: reactive[str] = reactive("")

    def watch_alert(self, alert: str) -> None:
        self.set_class(bool(alert), "-shown")
        self.update(Content.assemble(("▲ ", "bold $warning"), plain.line(alert)))

    async def on_click(self) -> None:
        await self.run_action("app.dismiss_alert")
