"""A flow as a conversation: the stored bytes, read again. Pure work, done in a thread."""

from dataclasses import dataclass, field

from llmproxy_core.model import Message, Part, Request, Response
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.plural import counted
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.tui.body_lines import NOT_KEPT
from llmproxy_core.withholding import unsaid


@dataclass(slots=True)
class Turn:
    """One speaker's part of the conversation; `note` says what is missing from it."""

    role: str
    parts: list[Part]
    note: str = ""
    names: ClientNames = field(default_factory=ClientNames)
    """Of the tools in it, as the client has them."""


@dataclass(slots=True)
class Reading:
    detail: FlowDetail
    request: Request
    problem: str | None = None
    """Why the request's body could not be read (in full)."""
    turns: list[Turn] = field(default_factory=list)
    """System, the messages that were sent, and the answer once there is one."""


def read(detail: FlowDetail) -> Reading:
    row = detail.request
    request, problem = read_request(row.wire, row.path, row.headers, row.body)
    request = unsaid.request(request, row.body_kept)
    problem = NOT_KEPT.get(row.body_kept, problem)
    names = row.client_names
    turns = [Turn("system", request.system)] if request.system else []
    turns += [Turn(message.role, message.parts, names=names) for message in request.messages]
    if detail.response is not None:
        turns.append(_answer(detail, detail.response))
    return Reading(detail, request, problem, turns)


def _answer(detail: FlowDetail, row: ResponseRow) -> Turn:
    note = ""
    if row.error:
        note = f"{row.error_type}: {row.error}" if row.error_type else row.error
    elif row.state == "partial":
        note = "the answer was cut short"
    elif row.body_kept in NOT_KEPT:
        note = NOT_KEPT[row.body_kept]
    elif detail.request.wire not in FORMATS:
        note = f"{detail.request.wire} is stored as it came, not read; see Request and Response"
    return Turn("assistant", _answer_parts(detail, row), note, detail.request.client_names)


def _answer_parts(detail: FlowDetail, row: ResponseRow) -> list[Part]:
    """The parts in the order of the wire; where that cannot be told, as the columns have them."""
    if row.body and row.body_kept in ("full", "skeleton"):
        reader = AnswerReader(
            detail.request.wire, row.status or 0, row.headers, detail.request.path
        )
        reader.feed(row.body)
        response = unsaid.response(reader.finish(), row.body_kept)
        parts = response.parts or _counted(response)
        if parts:
            return [*parts, *_other_choices(response)]
    parts = [Part("reasoning", row.reasoning)] if row.reasoning else []
    if row.refusal:
        parts.append(Part("refusal", row.refusal))
    if row.text:
        parts.append(Part("text", row.text))
    return parts + [
        Part("tool_call", call.arguments, call.name, call.call_id) for call in detail.tool_calls
    ]


def _counted(response: Response) -> list[Part]:
    """What an answer without words says: how many vectors, how many tokens."""
    if response.n_embeddings:
        plural = "s" * (response.n_embeddings != 1)
        return [Part("other", f"{response.n_embeddings:,} vector{plural}", "embeddings")]
    usage = response.usage
    if usage is not None and usage.input_tokens is not None and not usage.output_tokens:
        return [Part("other", counted(usage.input_tokens, "token"), "counted")]
    return []


def _other_choices(response: Response) -> list[Part]:
    return [Part("text", text, f"choice {n}") for n, text in enumerate(response.texts[1:], 2)]


def same(one: Message, other: Message) -> bool:
    return one.role == other.role and one.parts == other.parts
