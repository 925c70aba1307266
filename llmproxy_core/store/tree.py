"""The conversations of a session as a tree, and why a prompt cache was missed in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, false, func, or_, select

from llmproxy_core.conversations import cache
from llmproxy_core.conversations.segments import read_prompt
from llmproxy_core.model import Cost, Usage
from llmproxy_core.pricing import price
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.store import detail
from llmproxy_core.store.call_rows import FlowState, Relation, RequestRow, ResponseRow
from llmproxy_core.store.call_tables import RequestTable, ResponseTable, SessionTable
from llmproxy_core.store.namespace_tables import NamespaceTable
from llmproxy_core.store.values import clean

type Prices = Callable[[str, str | None, Usage | None, datetime], Cost]

OWN_BRANCH = ("root", "branch", "compaction", "subagent")
SAME = ("append", "branch", "retry")
"""Relations to a parent whose prompt the request repeats."""
FAR = 8
"""Generations in which a call with an answer is looked for."""
MOST = 20_000
FOUND = 20
DIGITS = 4
HEX = frozenset("0123456789abcdef")


@dataclass(slots=True)
class TreeNode:
    """A request of a session. `branch` None: it is no turn of a conversation.

    The parent may be of another session. `continued`: something goes on from it.
    """

    id: UUID
    parent_id: UUID | None
    relation: Relation
    parent_call: str | None
    branch: int | None
    started_at: datetime
    ended_at: datetime | None
    state: FlowState
    provider: str
    model: str | None
    n_messages: int
    preview: str
    text_start: str
    n_tool_calls: int
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    cost_usd: Decimal | None
    duration_ms: float | None
    status: int | None = None
    estimated: bool = False
    """Tokens and cost are estimates."""
    continued: bool = False


@dataclass(slots=True)
class Branch:
    """A line of turns of which each continues the one before, and its sums.

    `relation` and `parent_id` are those of the first. Tokens and USD of all requests, repeats too.
    """

    number: int
    first: UUID
    relation: Relation
    parent_id: UUID | None
    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


def tree(conn: Connection, ns_id: int, session_id: UUID) -> list[TreeNode]:
    """The requests of a session, oldest first: the latest MOST of them."""
    asked, answered = RequestTable, ResponseTable
    same = and_(answered.ns_id == asked.ns_id, answered.id == asked.id)
    query = (
        select(
            asked.id,
            asked.parent_id,
            asked.relation,
            asked.parent_call,
            asked.head.is_not(None),
            asked.started_at,
            answered.ended_at,
            func.coalesce(answered.state, "open"),
            asked.provider,
            func.coalesce(answered.model, asked.model),
            asked.n_messages,
            asked.preview,
            func.coalesce(answered.text_start, ""),
            func.coalesce(answered.n_tool_calls, 0),
            answered.error,
            answered.input_tokens,
            answered.output_tokens,
            answered.cached_tokens,
            answered.cache_write_tokens,
            answered.cost_usd,
            answered.duration_ms,
            answered.status,
            func.coalesce(answered.estimated, false()),
        )
        .outerjoin(answered, same)
        .where(asked.ns_id == ns_id, asked.session_id == session_id)
        .order_by(asked.id.desc())
        .limit(MOST)
    )
    rows: Sequence[Any] = conn.execute(query).all()
    nodes = [_node(row) for row in reversed(rows)]
    _number(nodes)
    return nodes


def _node(row: Sequence[Any]) -> TreeNode:
    values = [*row[:4], 0 if row[4] else None, *row[5:]]
    return TreeNode(*values)


def branches(nodes: Sequence[TreeNode]) -> list[Branch]:
    """The sums of each branch, by its number."""
    found: dict[int, Branch] = {}
    for node in nodes:
        if node.branch is None:
            continue
        branch = found.get(node.branch)
        if branch is None:
            branch = Branch(node.branch, node.id, node.relation, node.parent_id)
            found[node.branch] = branch
        branch.requests += 1
        branch.errors += node.state == "failed"
        branch.input_tokens += node.input_tokens or 0
        branch.output_tokens += node.output_tokens or 0
        branch.cached_tokens += node.cached_tokens or 0
        branch.cache_write_tokens += node.cache_write_tokens or 0
        branch.cost_usd += node.cost_usd or Decimal(0)
    return list(found.values())


def find_sessions(conn: Connection, name: str) -> list[UUID]:
    """Sessions whose id starts or ends with `name`, or to which the client itself gave it."""
    session, digits = SessionTable, name.replace("-", "").lower()
    hexed = func.encode(func.uuid_send(session.id), "hex")
    named = session.external_id == clean(name)
    if len(digits) >= DIGITS and not set(digits) - HEX:
        named = or_(named, hexed.startswith(digits), hexed.endswith(digits))
    namespace = NamespaceTable
    query = select(session.id).join(namespace, namespace.ns_id == session.ns_id).where(named)
    return list(conn.scalars(query.order_by(session.last_at.desc()).limit(FOUND)))


def may_miss(node: TreeNode) -> bool:
    """Is it worth while to ask `miss`? Less than nine tenths of the input were cached."""
    tokens = node.input_tokens or 0
    return node.relation in SAME and (node.cached_tokens or 0) < tokens * 9 // 10


def miss(conn: Connection, ns_id: int, id: UUID, prices: Prices = price) -> cache.Miss | None:
    """Why a call did not read the prompt cache that the one before it had left; None: it did, or
    there was none. Raises StoreError where a stored body is damaged."""
    request, response = detail.request(conn, ns_id, id), detail.response(conn, ns_id, id)
    if request is None or response is None or request.relation not in SAME:
        return None
    before = _answered(conn, request)
    if before is None:
        return None

    def cost(usage: Usage) -> Decimal | None:
        model = response.model or request.model
        return prices(request.provider, model, usage, request.started_at).usd

    return cache.explain(_call(request, response), _call(*before), cost)


def _answered(conn: Connection, request: RequestRow) -> tuple[RequestRow, ResponseRow] | None:
    """The nearest call before it, in its conversation, whose answer tells of tokens."""
    for _ in range(FAR):
        if request.parent_id is None or request.relation not in SAME:
            return None
        found = detail.request(conn, request.ns_id, request.parent_id)
        if found is None:
            return None
        request = found
        response = detail.response(conn, request.ns_id, request.id)
        if response is not None and response.input_tokens is not None:
            return request, response
    return None


def _call(request: RequestRow, response: ResponseRow) -> cache.Call:
    body, _ = decode_body(request.headers, request.body)
    usage = Usage(
        response.input_tokens,
        response.output_tokens,
        response.cached_tokens,
        response.cache_write_tokens,
        response.reasoning_tokens,
        response.usage,
    )
    return cache.Call(
        prompt=read_prompt(body, request.model),
        provider=request.provider,
        begun=request.started_at,
        usage=usage,
        changed=request.hash_in != request.hash_out,
    )


def _number(nodes: Sequence[TreeNode]) -> None:
    """A branch keeps its number while each request continues the one before; a repeat has that of
    what it repeats."""
    by_id = {node.id: node for node in nodes}
    next_number = 0
    for node in nodes:
        if node.branch is None:
            continue
        parent = by_id.get(node.parent_id) if node.parent_id else None
        turn = by_id.get(parent.parent_id or parent.id) if _repeats(parent) and parent else parent
        ended = parent is None or parent.branch is None or (turn is not None and turn.continued)
        if node.relation == "retry" and parent is not None and parent.branch is not None:
            node.branch = parent.branch
            continue
        if node.relation in OWN_BRANCH or ended:
            node.branch, next_number = next_number, next_number + 1
        elif parent is not None:
            node.branch = parent.branch
        if node.relation in ("append", "branch"):
            for one in (parent, turn):
                if one is not None:
                    one.continued = True


def _repeats(node: TreeNode | None) -> bool:
    return node is not None and node.relation == "retry"
