"""Where the time of a call went: a bar, and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.tui import figures


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a call, in ms from its start."""

    name: str
    start: float
    end: float
    style: str

    @property
    def length(self) -> float:
        return max(0.0, self.end - self.start)


def phases(detail: FlowDetail) -> list[Phase]:
    """What is known of headers, first byte, first token and end, in this order."""
    answer = detail.response
    if answer is None or answer.duration_ms is None:
        return []
    marks = [
        ("waiting for the answer", answer.head_ms, "$secondary"),
        ("to the first byte", answer.first_byte_ms, "$warning"),
        ("to the first token", answer.first_token_ms, "$accent"),
        ("streaming" if detail.flow.stream else "receiving", answer.duration_ms, "$success"),
    ]
    found: list[Phase] = []
    at = 0.0
    for name, end, style in marks:
        if end is not None and end >= at:
            found.append(Phase(name, at, end, style))
            at = end
    return found


def bar(parts: Sequence[Phase], width: int) -> Content:
    """The phases side by side, `width` cells long; what took time at all gets a cell."""
    total = parts[-1].end if parts else 0
    if total <= 0:
        return Content("")
    cells = [max(1 if part.length else 0, round(part.length / total * width)) for part in parts]
    while sum(cells) > width:
        cells[cells.index(max(cells))] -= 1
    return Content.assemble(*(("█" * n, part.style) for n, part in zip(cells, parts, strict=True)))


def tokens_per_second(detail: FlowDetail) -> float | None:
    """Output tokens over the time from the first token to the end (the whole time if not streamed)."""
    answer = detail.response
    if answer is None or not answer.output_tokens or answer.duration_ms is None:
        return None
    seconds = (answer.duration_ms - (answer.first_token_ms or 0)) / 1000
    return answer.output_tokens / seconds if seconds > 0.01 else None


def timing(detail: FlowDetail, width: int) -> Content:
    parts = phases(detail)
    if not parts:
        return Content.styled("Still running: the times are known when the call has ended.", "dim")
    lines = [bar(parts, max(10, width)), Content("")]
    for part in parts:
        lines.append(
            Content.assemble(
                ("█ ", part.style),
                f"{part.name:<22}{figures.ms(part.length):>13}",
                (f"   at {figures.ms(part.end)}", "$foreground 50%"),
            )
        )
    lines += [Content(""), *_numbers(detail)]
    return Content("\n").join(lines)


def _numbers(detail: FlowDetail) -> list[Content]:
    answer = detail.response
    speed = tokens_per_second(detail)
    rows = [
        ("total", figures.ms(answer.duration_ms) if answer else figures.NONE),
        ("output", f"{speed:.0f} tokens/s" if speed else figures.NONE),
        ("stream events", str(answer.n_events) if answer and answer.n_events else figures.NONE),
        ("sent", figures.size(detail.request.body_bytes)),
        ("received", figures.size(answer.body_bytes) if answer else figures.NONE),
    ]
    return [Content(f"  {name:<22}{value:>13}") for name, value in rows]


class TimingPane(Static):
    DEFAULT_CSS = "TimingPane { padding: 1 2; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.detail: FlowDetail | None = None

    def show(self, detail: FlowDetail) -> None:
        self.detail = detail
        self.on_resize()

    def on_resize(self) -> None:
        if self.detail is not None:
            self.update(timing(self.detail, self.size.width - 4))
