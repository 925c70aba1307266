"""The top line: where one is, where else one can go, and what the screen has to say."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static


class ModeBar(Static):
    """`modes` are (key, name of the mode, title); a click switches to it."""

    DEFAULT_CSS = """
    ModeBar {
        height: 1; background: $panel; color: $foreground 70%; text-wrap: nowrap; link-style: none; link-color: $foreground; link-background: transparent;
        link-style-hover: bold; link-color-hover: $foreground; link-background-hover: $primary 40%;
    }
    """
    note: reactive[Content] = reactive(Content(""))

    def __init__(self, modes: list[tuple[str, str, str]], current: str) -> None:
        super().__init__()
        self.modes = modes
        self.current = current

    def on_mount(self) -> None:
        self.watch_note()

    def watch_note(self) -> None:
        parts: list[Content] = [Content.styled(" llmproxy ", "bold $primary")]
        for key, mode, title in self.modes:
            here = mode == self.current
            style = "bold $background on $primary" if here else "$foreground 70%"
            label = Content.from_markup(f"[@click=app.switch_mode('{mode}')] {key} {title} [/]")
            parts.append(label.stylize_before(style))
        self.update(Content("").join([*parts, Content("  "), self.note]))
