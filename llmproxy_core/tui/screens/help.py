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
    ("4 5 6", "Security, Policies, Approvals (calls that wait)"),
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
    ("Ctrl+F", "search: words in all that was said"),
    ("f", "follow: stay on the newest call"),
    ("p", "pause: let nothing move, count what comes"),
    ("s l", "the tree of this call's session; only its calls"),
    ("v", "its conversation beside the list, from 160 columns"),
    ("y", "copy the id, for `llmproxy show`"),
)
SESSIONS: Rows = (
    ("Enter", "the session as a tree"),
    ("→ ←", "unfold its calls here; fold them"),
    ("*", "star: kept whatever the retention says"),
    ("o", "sessions of one call, too; they are left out,"),
    ("", "unless starred, running, or there are no others"),
    ("Forks", "2a 1b: two sub-agents, one branch"),
)
SESSION: Rows = (
    ("→ ← Enter", "unfold, fold a branch; e: all but the first"),
    ("p", "the call it comes from, or the branch leaves"),
    ("] [", "next branch that leaves the same one, one before"),
    ("m", "next call that missed a prompt cache"),
    ("f", "the newest call, and stay on the newest"),
    ("* l v y", "star; in Live; side pane; copy the id"),
    ("↻ ▲ ~", "retry; tokens not read from the cache; estimated"),
)
SECURITY: Rows = (
    ("a r f", "acknowledge; resolve; false positive, which teaches"),
    ("w u", "resolve and say why; take the last one back"),
    ("b", "block the key of its call, by a policy"),
    ("Enter o s", "its call; its session"),
    ("/", "severity:>=high family:secret ns:payments status:all"),
    ("⟨U+200B⟩", "a character that is not seen, spelled"),
)
POLICIES: Rows = (
    ("a s o", "active; shadow: only tells; off"),
    ("e", "test it on the calls of the last 7 days"),
    ("Enter", "what it decided"),
    ("Bound", "false positives are at most so many (95 %)"),
    ("unproven", "in shadow until the bound is as low as it must be"),
)
APPROVALS: Rows = (
    ("y n", "approve; deny the call under the cursor"),
    ("N", "deny it and say why"),
    ("Enter o", "the call, with what was found in it"),
)
DETAIL: Rows = (
    ("1 … 7 ← →", "the tabs: Conversation, Request … Findings"),
    ("n b", "next, one before, in the table it was opened from"),
    ("p s", "the call it comes from; its place in its session"),
    ("[", "the call before, in its session"),
    ("e Tab", "open all folds; go to the next fold"),
    ("/", "find in a body; Enter: the next place"),
    ("h", "a body as bytes, or as what they mean"),
    ("y o", "copy what is shown; save both bodies as they passed"),
)
FILTER: Rows = (
    ("model:opus", "also provider: client: ns: session: tool:"),
    ("status:>=400", "also cost: tokens: in: out: ms: ttft:"),
    ("state:open", "open, complete, partial, failed"),
    ("is:error", "also is:stream, is:changed"),
    ('"two words"', "in what the table shows: said, model, path"),
    ("text:timeout", 'in all that was said; text:"some phrase"'),
    ("-client:curl", "a minus turns a term around"),
)


def help_text() -> Content:
    parts: list[Content] = []
    sections = (
        ("Everywhere", EVERYWHERE),
        ("Live", LIVE),
        ("Sessions", SESSIONS),
        ("One session", SESSION),
        ("Security", SECURITY),
        ("Policies", POLICIES),
        ("Approvals", APPROVALS),
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
            "Total over 30 s and TTFT over 5 s are orange.\n~ before a number: an estimate, or the price of a similar model.",
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
