"""What stands above a call: what it was, and what it took."""

from textual.content import Content

from llmproxy_core.conversations.cache import Miss
from llmproxy_core.store.flows import Flow, FlowDetail
from llmproxy_core.tui import figures, kinship, plain, tool_names
from llmproxy_core.tui.flow_columns import client_name, short_id, status_tone
from llmproxy_core.tui.misses import explanation
from llmproxy_core.tui.tree_columns import MISSED

TONE_STYLES = {
    "busy": "bold $primary",
    "bad": "bold $error",
    "warn": "bold $warning",
    "good": "$success",
}


def heading(detail: FlowDetail) -> Content:
    """Two lines: what it was, and what it took or what went wrong."""
    flow = detail.flow
    if flow.error:
        wrong = plain.line(f"{flow.error_type or 'error'}: {flow.error}")
        return Content("\n").join([_what(flow), Content.styled(f" {wrong}", "$error")])
    return Content("\n").join([_what(flow), _took(flow)])


def _what(flow: Flow) -> Content:
    wire = plain.line(flow.wire)
    api = wire if wire.startswith(flow.provider) else f"{plain.line(flow.provider)}  {wire}"
    return Content.assemble(
        (f" {_state(flow)} ", TONE_STYLES[status_tone(flow)]),
        (plain.line(flow.model or flow.request_model or "unknown model"), "bold"),
        (f"  {api}", "$secondary"),
        f"  {plain.line(client_name(flow))}",
        (f"  session {short_id(flow.session_id)}  id {short_id(flow.id)}", "$foreground 50%"),
    )


def _state(flow: Flow) -> str:
    if flow.state == "open":
        return "running"
    if flow.state == "partial":
        return f"{flow.status or ''} cut short".strip()
    return str(flow.status or flow.state)


def _took(flow: Flow) -> Content:
    if flow.state == "open":
        asked = f"{flow.n_messages} message{'s' * (flow.n_messages != 1)}"
        return Content(f" asked with {asked}, {figures.size(flow.body_bytes)}")
    cached = f" ({figures.tokens(flow.cached_tokens)} cached)" if flow.cached_tokens else ""
    thought = f" ({figures.tokens(flow.reasoning_tokens)} reasoning)"
    output = figures.tokens(flow.output_tokens) + (thought if flow.reasoning_tokens else "")
    about = "~" if flow.estimated else ""
    reasons = ", ".join(plain.line(reason) for reason in flow.finish_reasons)
    return Content.assemble(
        f" {about}{figures.tokens(flow.input_tokens)} in{cached}  {about}{output} out  ",
        (about + figures.usd(flow.cost_usd), "$accent"),
        f"  first token {figures.ms(flow.first_token_ms)}  total {figures.ms(flow.duration_ms)}  ",
        (reasons, "$foreground 50%"),
    )


def kin_lines(
    detail: FlowDetail, problem: str = "", tool: str | None = None, miss: Miss | None = None
) -> list[Content]:
    """Below it: what it comes from, whose it is, what is wrong with it, what is estimated, a missed
    cache."""
    row, lines = detail.request, []
    if kin := kinship.sentence(row.relation, row.parent_id, row.parent_call, tool):
        where = "  (p goes there)" if row.parent_id else ""
        lines.append(Content.assemble(f" {kin}", (where, "$foreground 50%")))
    if said := tool_names.sentence(detail.flow):
        lines.append(Content.styled(f" {said}", "$warning" if detail.flow.left_alone else ""))
    if problem:
        lines.append(Content.styled(f" {plain.line(problem)}", "$warning"))
    if detail.response is not None and detail.response.estimated:
        lines.append(Content.styled(f" {_estimated(detail.flow)}", "$warning"))
    if miss is not None:
        lines.append(Content.styled(f" {MISSED} {explanation(miss)}", "$warning"))
    return lines


def _estimated(flow: Flow) -> str:
    cut = flow.state in ("partial", "failed")
    why = "the answer was cut short" if cut else "the provider told no usage"
    return f"~ tokens and cost are estimated: {why}"
