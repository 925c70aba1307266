"""One flow for people to read: what it was, what was asked, what came back."""

from collections.abc import Iterator

from llmproxy_core.cli import call_lessons
from llmproxy_core.model import Part
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.store.flows import Flow, FlowDetail
from llmproxy_core.tui import figures, plain, tool_names
from llmproxy_core.withholding import unsaid


def describe(detail: FlowDetail, learnt: CallLessons) -> str:
    facts = [*_facts(detail), *call_lessons.lines(learnt)]
    return "\n".join([*facts, *_asked(detail), *_answered(detail)]) + "\n"


def _facts(detail: FlowDetail) -> Iterator[str]:
    flow, request = detail.flow, detail.request
    yield f"id        {flow.id}"
    yield f"time      {flow.started_at.astimezone():%Y-%m-%d %H:%M:%S.%f %z}"
    yield f"state     {flow.state}{f', status {flow.status}' if flow.status else ''}"
    if flow.error:
        kind = f"{flow.error_type}: " if flow.error_type else ""
        yield f"error     {plain.line(kind + flow.error)}"
    url = f"{request.scheme}://{request.host}{request.path}"
    yield f"request   {plain.line(f'{request.method} {url}')}"
    yield from _caller(flow)
    yield f"session   {flow.session_id}"
    if said := tool_names.sentence(flow):
        yield f"space     {said.removeprefix('Namespace ')}"
    yield f"format    {plain.line(f'{flow.provider}, {flow.wire}')}{_unread(flow)}"
    yield f"model     {plain.line(flow.model or 'not told')}{_asked_for(flow)}"
    yield f"tokens    {_tokens(flow)}"
    yield f"cost      {figures.usd(flow.cost_usd)} ({flow.cost_confidence or 'unknown'})"
    yield (
        f"times     first byte {figures.ms(flow.first_byte_ms)}, first token "
        f"{figures.ms(flow.first_token_ms)}, total {figures.ms(flow.duration_ms)}"
    )
    yield f"bytes     {flow.body_bytes} asked, {flow.response_bytes or 0} answered"


def _caller(flow: Flow) -> Iterator[str]:
    yield f"client    {plain.line(f'{flow.client}  {flow.user_agent or ""}')}"
    if flow.proxy_user:
        yield f"user      {plain.line(flow.proxy_user)}"
    if flow.credential:
        yield f"key       {plain.line(flow.credential)}"


def _asked(detail: FlowDetail) -> Iterator[str]:
    from llmproxy_core.providers.encoding import decode_body

    request = detail.request
    body, _ = decode_body(request.headers, request.body)
    read, problem = read_request(request.wire, request.path, request.headers, body)
    read = unsaid.request(read, request.body_kept)
    if request.body_kept == unsaid.SKELETON:
        yield "\n--- the texts of this call are not kept (capture = metadata)"
    elif problem:
        yield f"\n--- the request could not be read: {plain.line(problem)}"
    if read.system:
        yield "\n--- system"
        yield from (_part(part, request.client_names) for part in read.system)
    for message in read.messages:
        yield f"\n--- {message.role}"
        yield from (_part(part, request.client_names) for part in message.parts)


def _answered(detail: FlowDetail) -> Iterator[str]:
    response = detail.response
    if response is None:
        text = "".join(delta.text for delta in detail.live if delta.kind == "text")
        yield f"\n--- the answer so far\n{plain.block(text)}"
        return
    finish = ", ".join(map(plain.line, response.finish_reasons))
    yield f"\n--- the answer{f' ({finish})' if finish else ''}"
    if response.reasoning:
        yield f"[reasoning] {plain.block(response.reasoning)}"
    if response.text:
        yield plain.block(response.text)
    if response.refusal:
        yield f"[refusal] {plain.block(response.refusal)}"
    for call in detail.tool_calls:
        name = plain.line(tool_names.both(call.name, detail.request.client_names), 1000)
        yield f"[tool call] {name}({plain.block(call.arguments)})"


def _part(part: Part, names: ClientNames) -> str:
    told = names.of(part.name) if part.name else ""
    name = f" {plain.line(told)}" if told else ""
    label = "" if part.kind == "text" else f"[{part.kind.replace('_', ' ')}{name}] "
    return label + plain.block(part.text)


def _tokens(flow: Flow) -> str:
    known = {
        "in": flow.input_tokens,
        "cached": flow.cached_tokens,
        "cache written": flow.cache_write_tokens,
        "out": flow.output_tokens,
        "reasoning": flow.reasoning_tokens,
    }
    told = [f"{value} {name}" for name, value in known.items() if value is not None]
    return ", ".join(told) or "not told"


def _asked_for(flow: Flow) -> str:
    other = flow.request_model and flow.request_model != flow.model
    return f" (asked for {plain.line(flow.request_model or '')})" if other else ""


def _unread(flow: Flow) -> str:
    if flow.parse_error:
        return f" (not read: {plain.line(flow.parse_error)})"
    return "" if flow.wire in FORMATS else " (stored as it came, not read: --raw shows it)"
