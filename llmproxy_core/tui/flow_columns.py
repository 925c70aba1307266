"""The columns of the live table: one line here is one column there."""

import re

from llmproxy_core.store.flows import Flow, Session
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SLOW_TOTAL_MS = 30_000
SLOW_TTFT_MS = 5_000
CHARACTERS_PER_TOKEN = 4
DEFAULT_NAMESPACE = "default"
_DATE = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$")


def short_id(flow_or_session_id: object) -> str:
    """The last six digits of an id: uuidv7 begin with the time, so their ends tell them apart."""
    return str(flow_or_session_id)[-6:]


def elapsed_ms(flow: Flow, glance: Glance) -> float:
    """How long a call has been running; not below zero where clocks differ."""
    return max(0.0, (glance.now - flow.started_at).total_seconds() * 1000)


def client_name(flow: Flow | Session) -> str:
    """The program's own name where it told one, else its address."""
    product = plain.line(flow.user_agent or "").split(" ")[0]
    if product.startswith("Mozilla/") or not product:
        return plain.line(flow.client)
    name, _, version = product.partition("/")
    return f"{name}/{version}".lower() if version[:1].isalpha() else name


def model_name(flow: Flow | Session) -> str:
    """Without the date that many providers hang on: it would push out what tells models apart."""
    return shorter_model(flow.model or (flow.request_model if isinstance(flow, Flow) else None))


def shorter_model(model: str | None) -> str:
    return _DATE.sub("", plain.line(model or "")) or figures.NONE


def status_tone(flow: Flow) -> Tone:
    if flow.state == "open":
        return "busy"
    if flow.state == "failed" or (flow.status or 0) >= 400:
        return "bad"
    return "warn" if flow.state == "partial" else "good"


def _time(flow: Flow, glance: Glance) -> Cell:
    return Cell(figures.when(flow.started_at, glance.now, glance.zone), "dim")


def _status(flow: Flow, glance: Glance) -> Cell:
    if flow.state == "open":
        spinner = SPINNER[glance.frame % len(SPINNER)]
        return Cell(f"{spinner} {flow.status}" if flow.status else spinner, "busy")
    if flow.status is None:
        return Cell("✗" if flow.state == "failed" else "…", status_tone(flow))
    return Cell(str(flow.status), status_tone(flow))


def _model(flow: Flow, _: Glance) -> Cell:
    return Cell(model_name(flow), "strong" if flow.state == "open" else "text")


def _input(flow: Flow, _: Glance) -> Cell:
    return _told(flow, flow.input_tokens)


def _cached(flow: Flow, _: Glance) -> Cell:
    return Cell(figures.tokens(flow.cached_tokens), "second" if flow.cached_tokens else "faint")


def _output(flow: Flow, glance: Glance) -> Cell:
    if flow.state == "open":
        written = glance.streamed.get(flow.id, 0)
        return Cell(
            f"~{figures.tokens(written // CHARACTERS_PER_TOKEN)}" if written else "", "busy"
        )
    return _told(flow, flow.output_tokens)


def _told(flow: Flow, tokens: int | None) -> Cell:
    guessed = "~" if flow.estimated and tokens is not None else ""
    return Cell(guessed + figures.tokens(tokens), "text" if tokens else "faint")


def _cost(flow: Flow, _: Glance) -> Cell:
    unsure = flow.cost_confidence == "prefix" or flow.estimated
    guessed = "~" if unsure and flow.cost_usd is not None else ""
    return Cell(guessed + figures.usd(flow.cost_usd), "accent" if flow.cost_usd else "faint")


def _ttft(flow: Flow, _: Glance) -> Cell:
    value = flow.first_token_ms if flow.first_token_ms is not None else flow.first_byte_ms
    tone: Tone = "faint" if value is None else "warn" if value >= SLOW_TTFT_MS else "text"
    return Cell("" if value is None and flow.state == "open" else figures.ms(value), tone)


def _total(flow: Flow, glance: Glance) -> Cell:
    if flow.state == "open":
        return Cell(figures.ms(elapsed_ms(flow, glance)), "busy")
    value = flow.duration_ms
    tone: Tone = "faint" if value is None else "warn" if value >= SLOW_TOTAL_MS else "text"
    return Cell(figures.ms(value), tone)


FOUND: dict[str, Tone] = {"critical": "bad", "high": "bad", "medium": "warn"}
"""Severities of findings that are told in the list, and how."""
FLAGS: tuple[tuple[str, str], ...] = (
    ("▲", "something was found in it, see 7 in its detail"),
    ("s", "streamed"),
    ("t2", "called tools, twice"),
    ("Δ", "changed on its way"),
    ("~", "cut short"),
    ("!", "an error"),
    ("?", "body could not be read"),
)
"""The signs of the flags column with their meanings, for the help screen."""


def flags(flow: Flow) -> str:
    signs = "s" if flow.stream else ""
    if flow.n_tool_calls:
        signs += f"t{flow.n_tool_calls}" if flow.n_tool_calls < 10 else "t+"
    if flow.request_changed or flow.response_changed:
        signs += "Δ"
    if flow.state == "partial":
        signs += "~"
    if flow.error or flow.error_type:
        signs += "!"
    return signs + ("?" if flow.parse_error else "")


def _flags(flow: Flow, glance: Glance) -> Cell:
    signs = flags(flow)
    tone: Tone = "dim"
    if "!" in signs:
        tone = "bad"
    elif "~" in signs or "?" in signs:
        tone = "warn"
    if (severity := glance.found.get(flow.id)) in FOUND:
        return Cell("▲" + signs, FOUND[severity] if tone == "dim" else tone)
    return Cell(signs, tone)


def _said(flow: Flow, _: Glance) -> Cell:
    if flow.error:
        return Cell(plain.line(flow.error), "bad")
    asked, answered = plain.line(flow.preview), plain.line(flow.text_start)
    if asked and answered:
        asked = asked if len(asked) <= 48 else asked[:47] + "…"
        return Cell(f"{asked} → {answered}", "dim")
    return Cell(asked or answered or plain.line(f"{flow.method} {flow.path}"), "dim")


NAMESPACE: Column[Flow] = Column(
    "Space", 8, 9, lambda flow, _: Cell(plain.line(flow.namespace), "second"), grow=1, most=14
)

COLUMNS: tuple[Column[Flow], ...] = (
    Column("Time", 8, 0, _time),
    Column("Status", 6, 1, _status),
    Column("Client", 12, 12, lambda flow, _: Cell(client_name(flow), "dim"), grow=1, most=16),
    Column(
        "Provider",
        9,
        11,
        lambda flow, _: Cell(plain.line(flow.provider), "second"),
        grow=1,
        most=12,
    ),
    Column("Model", 18, 2, _model, grow=3, most=28),
    Column("Sess", 6, 14, lambda flow, _: Cell(short_id(flow.session_id), "faint")),
    Column("In", 6, 5, _input, right=True),
    Column("Cached", 6, 13, _cached, right=True),
    Column("Out", 6, 4, _output, right=True),
    Column("Cost", 8, 6, _cost, right=True),
    Column("TTFT", 6, 7, _ttft, right=True),
    Column("Total", 6, 3, _total, right=True),
    Column("Flags", 5, 8, _flags),
    Column("Said", 18, 30, _said, grow=8),
)


def columns_for(flows: list[Flow]) -> tuple[Column[Flow], ...]:
    """The namespace has a column only where there is more than the default one."""
    if any(flow.namespace != DEFAULT_NAMESPACE for flow in flows):
        return (COLUMNS[0], NAMESPACE, *COLUMNS[1:])
    return COLUMNS
