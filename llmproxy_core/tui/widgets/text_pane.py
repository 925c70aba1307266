"""Long text by the line: bodies, headers, diffs. Draws only what is on screen, whatever its size."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmproxy_core.tui.evidence import split_marks

type Paint = Literal[
    "text", "dim", "strong", "good", "warn", "bad", "accent", "second", "busy", "json", "field",
    "added", "removed",
]  # fmt: skip

TONES = (
    "text", "dim", "strong", "good", "warn", "bad", "accent", "second", "busy", "added", "removed",
    "found",
)  # fmt: skip

_JSON = re.compile(
    r'(?P<second>"(?:[^"\\]|\\.)*"(?=\s*:))'
    r'|(?P<good>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<accent>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<busy>\b(?:true|false|null)\b)"
    r"|(?P<dim>[{}\[\],:]+)"
)


class Line(NamedTuple):
    """One line, already made safe (`plain.block`); `field`: painted as `name: value`."""

    text: str
    paint: Paint = "text"


class TextPane(ScrollView, can_focus=True):
    """Soft-wrapped lines; `find` shows the next line that contains some words."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"pane--{tone}" for tone in TONES}
    DEFAULT_CSS = """
    TextPane {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        background: $background;
        & > .pane--text { color: $foreground; }
        & > .pane--dim { color: $foreground 55%; }
        & > .pane--strong { color: $foreground; text-style: bold; }
        & > .pane--good { color: $success; }
        & > .pane--warn { color: $warning; }
        & > .pane--bad { color: $error; }
        & > .pane--accent { color: $accent; }
        & > .pane--second { color: $primary; }
        & > .pane--busy { color: $secondary; text-style: bold; }
        & > .pane--added { color: $success; background: $success 10%; }
        & > .pane--removed { color: $error; background: $error 10%; }
        & > .pane--found { background: $accent 40%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
        Binding("space", "page_down", "Page down", show=False),
    ]

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines = lines
        self._rows: list[tuple[int, str, bool]] = []
        self._wrapped_at = 0
        self._styles: dict[str, Style] | None = None
        self._found = -1

    def show(self, lines: Sequence[Line], *, stay: bool = False) -> None:
        """From the top; `stay`: from where it was read before."""
        self.lines = lines
        self._wrapped_at = 0
        self._found = -1
        self._wrap()
        if not stay:
            self.scroll_to(y=0, animate=False)

    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    def find(self, words: str) -> bool:
        """Show the next line with `words` (any case), from the top again after the last one."""
        words = words.casefold()
        count = len(self._rows)
        for step in range(1, count + 1):
            row = (self._found + step) % count
            index, _, first = self._rows[row]
            if first and words in self.lines[index].text.casefold():
                self._found = row
                self.scroll_to(y=max(0, row - self.size.height // 3), animate=False)
                self.refresh()
                return True
        return False

    def on_resize(self) -> None:
        self._wrap()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = None

    def _wrap(self) -> None:
        width = self.size.width - 2
        if width < 4 or width == self._wrapped_at:
            return
        self._wrapped_at = width
        self._rows = [
            (index, piece, number == 0)
            for index, line in enumerate(self.lines)
            for number, piece in enumerate(_pieces(line.text, width))
        ]
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.refresh()

    def _style(self, tone: str) -> Style:
        if self._styles is None:
            self._styles = {name: self.get_component_rich_style(f"pane--{name}") for name in TONES}
            self._styles["found"] = Style(bgcolor=self._styles["found"].bgcolor)
        return self._styles[tone]

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        text = self._style("text")
        if not 0 <= row < len(self._rows):
            return Strip.blank(self.size.width, text)
        index, piece, first = self._rows[row]
        painted = paint(piece, self.lines[index].paint, first)
        over = self._style("found") if row == self._found else Style()
        segments = [Segment(" ", text + over)]
        segments += [Segment(part, self._style(tone) + over) for part, tone in painted]
        return Strip(segments).adjust_cell_length(self.size.width, text + over)


def _pieces(text: str, width: int) -> list[str]:
    if len(text) <= width and text.isascii():
        return [text]
    if text.isascii():
        return [text[start : start + width] for start in range(0, len(text), width)]
    return chop_cells(text, width) if cell_len(text) > width else [text]


def paint(text: str, how: Paint, first: bool = True) -> list[tuple[str, str]]:
    """A piece of a line as (text, tone) runs. `first`: not the continuation of a wrapped line.

    Marks in the place of secrets are dim, whatever they are in.
    """
    runs = _paint(text, how, first)
    if ":fp_" not in text:
        return runs
    return [
        (piece, "dim" if marked else tone)
        for run, tone in runs
        for piece, marked in split_marks(run)
    ]


def _paint(text: str, how: Paint, first: bool) -> list[tuple[str, str]]:
    if how == "field":
        name, colon, value = text.partition(": ")
        return [(name + colon, "second"), (value, "text")] if first and colon else [(text, "text")]
    if how != "json":
        return [(text, how)]
    if not first and not text.lstrip().startswith(('"', "{", "[")):
        return [(text, "good")]
    runs: list[tuple[str, str]] = []
    at = 0
    for found in _JSON.finditer(text):
        if found.start() > at:
            runs.append((text[at : found.start()], "text"))
        runs.append((found[0], found.lastgroup or "text"))
        at = found.end()
    return [*runs, (text[at:], "text")] if at < len(text) else runs
