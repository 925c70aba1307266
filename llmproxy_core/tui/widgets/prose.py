"""Text that a model wrote, as Markdown; and text that is shown as it is."""

from collections.abc import Iterator
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown, MarkdownElement
from rich.syntax import Syntax
from rich.theme import Theme as RichTheme
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets import Static

from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.evidence import MARK, split_marks
from llmproxy_core.tui.widgets.text_pane import Paint, paint

SHOWN = 10_000
"""Characters of one part that are laid out at once; the rest is a key away."""


def rich_theme(theme: Theme) -> RichTheme:
    """Rich draws Markdown in colours of its own, unreadable on light ground; these are the theme's."""
    return RichTheme(
        {
            "markdown.code": f"{theme.accent}",
            "markdown.code_block": f"{theme.foreground}",
            "markdown.h1": f"bold {theme.primary}",
            "markdown.h2": f"bold {theme.primary}",
            "markdown.h3": f"bold {theme.secondary}",
            "markdown.h4": f"bold {theme.secondary}",
            "markdown.link": f"{theme.primary}",
            "markdown.link_url": f"underline {theme.primary}",
            "markdown.block_quote": f"italic {theme.secondary}",
            "markdown.item.bullet": f"{theme.primary}",
            "markdown.item.number": f"{theme.primary}",
            "markdown.hr": f"{theme.secondary}",
            "markdown.mark": f"dim {theme.foreground}",
            "markdown.table.border": f"{theme.secondary}",
            "markdown.table.header": f"bold {theme.primary}",
        }
    )


class _Code(CodeBlock):
    """A block of code on the screen's own ground."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        shown = Syntax(
            code,
            self.lexer_name,
            theme=self.theme,
            word_wrap=True,
            padding=(0, 2),
            background_color="default",
        )
        for mark in MARK.finditer(code):
            line, start = code.count("\n", 0, mark.start()), code.rfind("\n", 0, mark.start()) + 1
            place = [(line + 1, at - start) for at in mark.span()]
            shown.stylize_range("markdown.mark", place[0], place[1])
        yield shown


class Formatted(Markdown):
    """Markdown in which tags are text (models are sent and write many) and line ends are kept.

    Marks in the place of secrets are dim.
    """

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, text: str, *, dark: bool = True) -> None:
        super().__init__("", code_theme="ansi_dark" if dark else "ansi_light", hyperlinks=False)
        self.inlines = {*Markdown.inlines, "mark"}
        self.markup = text
        parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
        self.parsed = parser.parse(text)
        for token in self.parsed:
            for child in token.children or ():
                if child.type == "softbreak":
                    child.type = "hardbreak"
            if token.children and ":fp_" in token.content:
                token.children = [one for child in token.children for one in _marked(child)]


def _marked(token: Token) -> Iterator[Token]:
    """A text with its marks as elements of their own."""
    if token.type != "text":
        yield token
        return
    for piece, marked in split_marks(token.content):
        if marked:
            yield Token("mark_open", "mark", 1)
        yield Token("text", "", 0, content=piece)
        if marked:
            yield Token("mark_close", "mark", -1)


class Prose(Static):
    """Markdown. `dim`: reasoning, which is not part of the answer."""

    DEFAULT_CSS = """
    Prose { height: auto; }
    Prose.-dim { color: $foreground 60%; }
    """

    def __init__(self, text: str, *, dim: bool = False) -> None:
        super().__init__(classes="-dim" if dim else "")
        self.text = text

    def on_mount(self) -> None:
        self.say(self.text)

    def say(self, text: str) -> None:
        """Show another text."""
        self.text = text
        self.update(Formatted(plain.block(text), dark=self.app.current_theme.dark))


class Verbatim(Static):
    """Text as it is, or painted as JSON."""

    DEFAULT_CSS = "Verbatim { height: auto; color: $foreground 85%; }"

    def __init__(self, text: str, how: Paint = "text") -> None:
        super().__init__(_painted(plain.block(text), how))
        self.how = how

    def say(self, text: str) -> None:
        """Show another text."""
        self.update(_painted(plain.block(text), self.how))


_STYLES = {
    "second": "$primary",
    "good": "$success",
    "accent": "$accent",
    "busy": "bold $secondary",
    "dim": "$foreground 50%",
    "bad": "$error",
}


def _painted(text: str, how: Paint) -> Content:
    if how == "text":
        return Content(text)
    runs: list[tuple[str, str]] = []
    for line in text.split("\n"):
        runs += [(piece, _STYLES.get(tone, "")) for piece, tone in paint(line, how)]
        runs.append(("\n", ""))
    return Content.assemble(*runs[:-1])


class More(Static, can_focus=True):
    """The rest of a long text, laid out a piece at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "more", "More", show=False)]
    DEFAULT_CSS = """
    More { height: 1; color: $primary; &:hover { text-style: underline; } &:focus { text-style: reverse; } }
    """

    def __init__(self, rest: str, how: Paint | None) -> None:
        super().__init__(Content(f"… {figures.size(len(rest))} more: Enter"))
        self.rest = rest
        self.how = how

    async def action_more(self) -> None:
        parent = self.parent
        if isinstance(parent, Vertical):
            await parent.mount(*pieces(self.rest, self.how), after=self)
            await self.remove()

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        await self.action_more()


def pieces(text: str, how: Paint | None = None, *, dim: bool = False) -> list[Widget]:
    """A text as widgets: Markdown if `how` is None; of a long one the beginning, and `More`."""
    cut = len(text)
    if cut > SHOWN * 1.2:
        cut = text.rfind("\n", SHOWN // 2, SHOWN) + 1 or SHOWN
    first: Widget = Prose(text[:cut], dim=dim) if how is None else Verbatim(text[:cut], how)
    return [first, More(text[cut:], how)] if cut < len(text) else [first]
