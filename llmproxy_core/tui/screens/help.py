"""Help: the keys, the signs of the table, the filter language."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from llmproxy_core.tui.flow_columns import FLAGS

type Rows = tuple[tuple[str, str], ...]

EVERYWHERE: Rows = (
    ("1 2 3", "Live, Sessions, Events"),
    ("↑ ↓ k j", "move; PgUp PgDn Home End, too"),
    ("Enter", "open what the cursor is on"),
    ("Esc", "back"),
    ("t", "light or dark"),
    ("x", "put the alert away"),
    ("Ctrl+P", "all commands"),
    ("q", "quit"),
)
LIVE: Rows = (
    ("/", "filter; Enter keeps it, Esc clears it"),
    ("f", "follow: stay on the newest call"),
    ("p", "pause: let nothing move, count what comes"),
    ("s", "only the session of this call"),
    ("y", "copy the id, for `llmproxy show`"),
)
DETAIL: Rows = (
    ("1 … 6 ← →", "the tabs: Conversation, Request … Diff"),
    ("n b", "next, one before, in the table it was opened from"),
    ("[", "the turn before, in its session"),
    ("e Tab", "open all folds; go to the next fold"),
    ("/", "find in a body; Enter: the next place"),
    ("y o", "copy what is shown; save both bodies as they passed"),
)
FILTER: Rows = (
    ("model:opus", "also provider: client: ns: session: tool:"),
    ("status:>=400", "also cost: tokens: in: out: ms: ttft:"),
    ("state:open", "open, complete, partial, failed"),
    ("is:error", "also is:stream, is:changed"),
    ('"two words"', "in what was said, the model, the path"),
    ("-client:curl", "a minus turns a term around"),
)


def help_text() -> Content:
    parts: list[Content] = []
    sections = (
        ("Everywhere", EVERYWHERE),
        ("Live", LIVE),
        ("Detail", DETAIL),
        ("Signs in the flags column", FLAGS),
        ("Filter (all terms must hold)", FILTER),
    )
    for title, rows in sections:
        parts += [Content.styled(title, "bold $primary")]
        parts += [Content.assemble((f"  {key:<14}", "$accent"), what) for key, what in rows]
        parts.append(Content(""))
    parts.append(
        Content.styled(
            "Total over 30 s and TTFT over 5 s are orange.\n~ before a cost: the price of a similar model.",
            "$foreground 60%",
        )
    )
    return Content("\n").join(parts)


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > VerticalScroll {
        width: 74; max-width: 100%; height: auto; max-height: 100%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary;
        scrollbar-size-vertical: 1;
    }
    HelpScreen Static { height: auto; }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.border_title = "llmproxy: help (Esc closes)"
            yield Static(help_text())

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
