"""What stands above and below a session's tree: its sums, and more about the chosen line."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from uuid import UUID

from textual.content import Content

from llmproxy_core.plural import counted
from llmproxy_core.store.tree import TreeNode
from llmproxy_core.tui import figures, kinship, plain
from llmproxy_core.tui.flow_columns import client_name, short_id, shorter_model
from llmproxy_core.tui.misses import Misses, explanation
from llmproxy_core.tui.session_tree import Heading, Line, TreeLines
from llmproxy_core.tui.tree_columns import MISSED, heading_words
from llmproxy_core.tui.widgets.columns import Glance

SAID_MOST = 300


def nothing(session_id: UUID) -> Content:
    return Content(f" There is no session {session_id} (any more), or the database is not up yet.")


def about(lines: TreeLines, misses: Misses) -> Content:
    """Two lines above the tree."""
    session = lines.tree.session
    running = sum(node.state == "open" for node in lines.tree.nodes)
    star = ("★ ", "$warning") if session.starred else ""
    state = (f"  ● {running} running", "$primary") if running else ""
    title = plain.line(session.title or session.model or session.provider, 200)
    first = Content.assemble(
        " ", star, (title, "bold"),
        (f"  {plain.line(client_name(session))}", "$foreground 60%"),
        (f"  {shorter_model(session.model)}", "$secondary"),
        (f"  session {short_id(session.id)}", "$foreground 50%"), state,
    )  # fmt: skip
    return Content("\n").join([first, Content.assemble(" ", *_sums(lines, misses))])


def _sums(lines: TreeLines, misses: Misses) -> Iterator[str | tuple[str, str]]:
    session = lines.tree.session
    yield f"{counted(len(lines.tree.nodes), 'call')}  "
    yield (figures.usd(session.cost_usd), "$accent")
    missed, cost = misses.cost()
    if missed:
        more = f", {figures.usd(cost)} more" if cost else ""
        yield (f"  {MISSED} {counted(missed, 'missed cache')}{more}", "$warning")
    yield f"  {figures.tokens(session.input_tokens)} in, "
    yield (f"{figures.tokens(session.cached_tokens)} cached{_share(session)}", "$secondary")
    yield f", {figures.tokens(session.output_tokens)} out  "
    yield ", ".join(_kin(lines))


def _kin(lines: TreeLines) -> Iterator[str]:
    for relation, one, many in (
        ("branch", "branch", "branches"),
        ("subagent", "sub-agent", ""),
        ("compaction", "compaction", ""),
    ):
        if found := sum(lines.relation(number) == relation for number in lines.numbers):
            yield counted(found, one, many)


def _share(sums: object) -> str:
    read, of = getattr(sums, "cached_tokens", 0), getattr(sums, "input_tokens", 0)
    return f" ({100 * read / of:.0f}%)" if of and read else ""


def selected(line: Line, lines: TreeLines, misses: Misses, glance: Glance) -> Content:
    """What is known about the chosen line."""
    if isinstance(line, Heading):
        return Content("\n").join(_branch(line, lines, misses))
    return Content("\n").join(_turn(line.node, lines, misses, glance))


def _branch(line: Heading, lines: TreeLines, misses: Misses) -> Iterator[Content]:
    node, sums = line.node, line.sums
    yield Content.styled(heading_words(line), "bold")
    origin = kinship.sentence(node.relation, node.parent_id, node.parent_call, line.tool)
    if origin and line.number >= 0:
        yield Content.styled(origin, "$foreground 70%")
    yield Content.assemble(
        f"{figures.tokens(sums.input_tokens)} in, ",
        (f"{figures.tokens(sums.cached_tokens)} cached{_share(sums)}", "$secondary"),
        f", {figures.tokens(sums.cache_write_tokens)} written to the cache"
        if sums.cache_write_tokens
        else "",
        f", {figures.tokens(sums.output_tokens)} out, ",
        (figures.usd(sums.cost_usd), "$accent"),
        (f", {counted(sums.errors, 'error')}", "$error") if sums.errors else "",
    )
    if lost := misses.lost(line.nodes):
        yield Content.styled(
            f"{MISSED} {counted(lost, 'token')} could have come from the cache", "$warning"
        )


def _turn(node: TreeNode, lines: TreeLines, misses: Misses, glance: Glance) -> Iterator[Content]:
    tool = lines.tree.tools.get(node.parent_call or "")
    facts = [
        _when(node.started_at, glance.zone),
        f"id {short_id(node.id)}",
        kinship.sentence(node.relation, node.parent_id, node.parent_call, tool),
        counted(node.n_messages, "message"),
        "no turn of a conversation" if node.branch is None else "",
        "tokens and cost are estimated" if node.estimated else "",
    ]
    yield Content.styled("  ".join(fact for fact in facts if fact), "$foreground 60%")
    if (miss := misses.of(node.id)) is not None:
        yield Content.styled(f"{MISSED} {explanation(miss)}", "$warning")
    if node.preview:
        yield Content.assemble(("asked  ", "$primary"), plain.line(node.preview, SAID_MOST))
    if node.error:
        yield Content.styled(plain.line(node.error, SAID_MOST), "$error")
    elif node.text_start:
        yield Content.assemble(("said   ", "$success"), plain.line(node.text_start, SAID_MOST))


def _when(at: datetime, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
