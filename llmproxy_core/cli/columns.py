"""A flow as one line of a table."""

from collections.abc import Callable
from dataclasses import dataclass

from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import figures, plain

STATE_COLOURS = {"open": "cyan", "partial": "yellow", "failed": "red"}


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int
    text: Callable[[Flow], str]
    right: bool = False

    def fit(self, text: str) -> str:
        """Cut or filled to the width."""
        text = text if len(text) <= self.width else text[: self.width - 1] + "…"
        return text.rjust(self.width) if self.right else text.ljust(self.width)


def _status(flow: Flow) -> str:
    """A number where it says it all; a 200 whose stream broke off is `failed` or `partial`."""
    told = flow.state == "complete" or (flow.status or 0) >= 400
    return str(flow.status) if told else flow.state


COLUMNS = (
    Column("id", 8, lambda f: f.id.hex[-8:]),
    Column("time", 8, lambda f: f"{f.started_at.astimezone():%H:%M:%S}"),
    Column("status", 7, _status),
    Column("provider", 10, lambda f: plain.line(f.provider)),
    Column("model", 22, lambda f: plain.line(f.model or figures.NONE)),
    Column("in", 6, lambda f: figures.tokens(f.input_tokens), right=True),
    Column("out", 6, lambda f: figures.tokens(f.output_tokens), right=True),
    Column("cached", 6, lambda f: figures.tokens(f.cached_tokens), right=True),
    Column("cost", 8, lambda f: figures.usd(f.cost_usd), right=True),
    Column("ttft", 6, lambda f: figures.ms(f.first_token_ms), right=True),
    Column("total", 6, lambda f: figures.ms(f.duration_ms), right=True),
)


def heading() -> str:
    return "  ".join(column.fit(column.title) for column in COLUMNS) + "  text"


def line(flow: Flow, width: int) -> str:
    """At most `width` characters; foreign text in it cannot move the cursor."""
    start = "  ".join(column.fit(column.text(flow)) for column in COLUMNS)
    said = flow.error or flow.text_start or flow.preview or f"{flow.method} {flow.path}"
    return f"{start}  {plain.line(said)}"[:width]
