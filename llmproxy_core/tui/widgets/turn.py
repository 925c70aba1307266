"""One speaker's part of a conversation: prose open; tools, reasoning and system text folded."""

import orjson
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from llmproxy_core.model import Part
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.reading import Turn
from llmproxy_core.tui.widgets.fold import Fold
from llmproxy_core.tui.widgets.prose import pieces

PART_MOST = 2000
PLAIN = ClientNames()
PREFIX_STYLE = "$foreground 40%"


class TurnView(Vertical):
    """A turn, with its number among all of them."""

    DEFAULT_CSS = """
    TurnView {
        height: auto; margin: 0 0 1 0; padding: 0 1; border-left: outer $foreground 30%;
        & > .turn--role { height: 1; text-style: bold; color: $foreground 60%; text-wrap: nowrap; }
        & > .turn--note { height: auto; color: $error; }
        &.-user { border-left: outer $primary; }
        &.-user > .turn--role { color: $primary; }
        &.-assistant { border-left: outer $success; }
        &.-assistant > .turn--role { color: $success; }
        &.-tool { border-left: outer $accent; }
        &.-tool > .turn--role { color: $accent; }
    }
    """

    def __init__(self, turn: Turn, label: str) -> None:
        role = turn.role if turn.role in ("user", "assistant", "tool") else "system"
        super().__init__(classes=f"-{role}")
        self.turn = turn
        self.label = label

    def compose(self) -> ComposeResult:
        role = plain.line(self.turn.role)
        yield Static(
            Content.assemble(role, (f"  {self.label}", "$foreground 40%")), classes="turn--role"
        )
        if self.turn.role == "system":
            yield _folded_text(_joined(self.turn.parts), "")
        else:
            for part in self.turn.parts:
                yield from part_widgets(part, self.turn.names)
        if self.turn.note:
            yield Static(Content(plain.block(self.turn.note)), classes="turn--note")


def part_widgets(part: Part, names: ClientNames = PLAIN) -> list[Widget]:
    """How a part of a message is shown. `names`: of the tools in it."""
    if part.kind == "text":
        label = [Static(Content.styled(plain.line(part.name), "$accent"))] if part.name else []
        return [*label, *pieces(part.text)] if part.text.strip() else []
    if part.kind == "reasoning":
        return [_folded_text(part.text, "reasoning", dim=True)] if part.text else []
    if part.kind == "tool_call":
        return [_tool_call(part, names)]
    if part.kind == "tool_result":
        title = Content.assemble(("result ", "$accent"), tool_label(part.name or "", names))
        return [Fold(_summary(title, part.text), lambda: pieces(_laid_out(part.text), "json"))]
    if part.kind == "refusal":
        return [Static(Content.styled(f"refused: {plain.block(part.text)}", "$warning"))]
    kind = plain.line(part.name or "") if part.kind == "other" else part.kind
    sign = f"[{kind}] " if kind else ""
    name = f"{plain.line(part.name)}  " if part.name and part.kind != "other" else ""
    said = plain.line(part.text, PART_MOST)
    return [Static(Content.assemble((sign, "$secondary"), (name, "$accent"), said))]


def _tool_call(part: Part, names: ClientNames) -> Fold:
    title = Content.assemble(("call ", "$accent"), tool_label(part.name or "?", names, "bold"))
    return Fold(_summary(title, part.text), lambda: pieces(_laid_out(part.text), "json"))


def tool_label(name: str, names: ClientNames, style: str = "") -> Content:
    """The client's name, after the prefix that it had on its way."""
    client = names.of(name)
    before = names.prefix if client != name else ""
    return Content.assemble((plain.line(before), PREFIX_STYLE), (plain.line(client), style))


def _folded_text(text: str, name: str, *, dim: bool = False) -> Fold:
    title = Content.styled(name, "$secondary") if name else Content("")
    return Fold(_summary(title, text), lambda: pieces(text, dim=dim))


def _summary(title: Content, text: str) -> Content:
    """A fold's title: what it is, how long, and how it begins."""
    size = f"{figures.size(len(text))}  " if len(text) > 999 else ""
    return Content.assemble(
        title, " ", (size, "$foreground 40%"), (plain.line(text, 200), "$foreground 60%")
    )


def _joined(parts: list[Part]) -> str:
    return "\n\n".join(part.text for part in parts if part.text)


def _laid_out(text: str) -> str:
    """JSON indented; any other text as it is."""
    if len(text) < 200_000 and text.lstrip()[:1] in ("{", "["):
        try:
            return orjson.dumps(orjson.loads(text), None, orjson.OPT_INDENT_2).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError, UnicodeEncodeError):
            pass
    return text
