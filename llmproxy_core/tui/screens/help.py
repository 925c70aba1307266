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
    ("7 8 9 0", "Patterns, Enhancements, Experiments, Rules"),
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
LISTS: Rows = (
    ("/", "only lines with these words, -without; Esc clears"),
    ("< > I", "sort by another column; turn the order around"),
    ("c", "choose the columns"),
    ("y Y", "copy the id or name (Y, where y approves)"),
)
OF_LISTS = "Lists (5, 7, 8, 9, 0)"
LISTED = frozenset({"Policies", "Patterns", "Enhancements", "Experiments", "Rules"})
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
PATTERNS: Rows = (
    ("s", "prompts of users; system prompts; sets of tools"),
    ("Enter", "template, calls, numbers, versions, history"),
    ("r a", "rename; let the advisor be asked about it"),
    ("Space m", "mark; merge the marked ones into this one"),
    ("Success", "of judged calls; the interval holds it, 95 % sure"),
    ("Ideas", "suggestions that wait for you, see 8"),
)
ENHANCEMENTS: Rows = (
    ("y n", "approve, which begins an experiment; reject"),
    ("N u", "reject and say why; think about it again"),
    ("Enter e", "its experiment; the whole edit, nothing cut"),
)
EXPERIMENTS: Rows = (
    ("s o", "start a draft; stop what runs"),
    ("p b", "promote what has won; roll back"),
    ("Enter v", "plot and conversations; the next variant"),
    ("Points", "of success more than the control; zero: no better"),
)
RULES: Rows = (
    ("a o", "on; off"),
    ("K J", "let it be done earlier; later"),
    ("e Enter E", "what it would change in the newest calls; in one"),
)
DETAIL: Rows = (
    ("1 … 8 ← →", "the tabs: Conversation, Request … Learnt"),
    ("n b", "next, one before, in the table it was opened from"),
    ("p s", "the call it comes from; its place in its session"),
    ("[", "the call before, in its session"),
    ("e Tab", "open all folds; go to the next fold"),
    ("/", "find in a body; Enter: the next place"),
    ("h", "a body as bytes, or as what they mean"),
    ("y o", "copy what is shown; save both bodies as they passed"),
    ("+ -", "the answer was good; it was bad, and why"),
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


def help_text(first: str = "") -> Content:
    """`first`: the title of the section to begin with."""
    parts: list[Content] = []
    sections: tuple[tuple[str, Rows], ...] = (
        ("Everywhere", EVERYWHERE),
        ("Live", LIVE),
        ("Sessions", SESSIONS),
        ("One session", SESSION),
        ("Security", SECURITY),
        ("Policies", POLICIES),
        ("Approvals", APPROVALS),
        ("Patterns", PATTERNS),
        ("Enhancements", ENHANCEMENTS),
        ("Experiments", EXPERIMENTS),
        ("Rules", RULES),
        (OF_LISTS, LISTS),
        ("Detail", DETAIL),
        ("Signs in the flags column", FLAGS),
        ("Filter (all terms must hold)", FILTER),
    )
    begin = (first, OF_LISTS) if first in LISTED else (first,)
    for title, rows in sorted(sections, key=lambda section: section[0] not in begin):
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
    """`first`: the title of the section to begin with."""

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

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self.first = first

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.border_title = "llmproxy: help (Esc closes)"
            yield Static(help_text(self.first))

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
