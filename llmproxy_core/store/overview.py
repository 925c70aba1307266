"""Sessions at a glance: real conversations among calls that stand alone, and what grew out of them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, and_, func, literal, select, text

from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.store import detail, reads, tree
from llmproxy_core.store.call_tables import RequestTable, ResponseTable, ShortenedTable
from llmproxy_core.store.flows import Session
from llmproxy_core.store.namespace_tables import NamespaceTable
from llmproxy_core.store.tree import Branch, TreeNode

READ_MOST = 20
LOOKED_THROUGH = 20_000
"""Sessions, those last active, among which conversations are looked for."""


@dataclass(slots=True)
class Overview:
    """`single`: sessions of one call that has ended, among those looked through; left out."""

    sessions: list[Session] = field(default_factory=list)
    single: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """How many sub-agents, branches and compactions a session has."""

    subagents: int = 0
    branches: int = 0
    compactions: int = 0


@dataclass(slots=True)
class SessionTree:
    """A session with its requests, oldest first. `tools`: names by the ids of calls that started
    sub-agents."""

    session: Session
    nodes: list[TreeNode]
    branches: list[Branch]
    tools: dict[str, str]


def session_tree(conn: Connection, session_id: UUID) -> SessionTree | None:
    session = reads.session(conn, session_id)
    if session is None:
        return None
    nodes = tree.tree(conn, session.ns_id, session_id)
    tools = callers(conn, session.ns_id, nodes)
    return SessionTree(session, nodes, tree.branches(nodes), tools)


def conversations(conn: Connection, *, limit: int) -> Overview:
    """Sessions of more than one call, of one that is running, or starred: last active first."""
    ids, single = conn.execute(CONVERSATIONS, {"through": LOOKED_THROUGH, "most": limit}).one()
    return Overview(reads.sessions_by_id(conn, ids), single)


CONVERSATIONS = text("""
WITH recent AS MATERIALIZED (
    SELECT s.id, s.last_at, s.requests > 1 OR s.responses < s.requests OR s.starred AS keep
    FROM namespaces n, LATERAL (
        SELECT * FROM sessions t WHERE t.ns_id = n.ns_id ORDER BY t.last_at DESC LIMIT :through
    ) AS s
    ORDER BY s.last_at DESC LIMIT :through
)
SELECT array(SELECT id FROM recent WHERE keep ORDER BY last_at DESC LIMIT :most),
    (SELECT count(*) FROM recent WHERE NOT keep)
""")


def families(conn: Connection, sessions: Collection[UUID]) -> dict[UUID, Family]:
    """Of sessions that have any."""
    asked, namespace = RequestTable, NamespaceTable
    query = (
        select(
            asked.session_id,
            func.count().filter(asked.relation == "subagent"),
            func.count().filter(asked.relation == "branch"),
            func.count().filter(asked.relation == "compaction"),
        )
        .join(namespace, namespace.ns_id == asked.ns_id)
        .where(asked.session_id == func.any(literal(list(sessions))))
        .where(asked.relation.in_(("subagent", "branch", "compaction")))
        .group_by(asked.session_id)
    )
    return {session: Family(*counts) for session, *counts in conn.execute(query)}


def callers(conn: Connection, ns_id: int, nodes: Iterable[TreeNode]) -> dict[str, str]:
    """The names of the tools that started sub-agents, by the ids of the calls."""
    calls = {node.parent_call: node.parent_id for node in nodes if node.parent_call}
    return tools(conn, ns_id, {call: id for call, id in calls.items() if id is not None})


def tools(conn: Connection, ns_id: int, calls: Mapping[str, UUID]) -> dict[str, str]:
    """The client's names of these tool calls. `calls`: the requests whose answers make them, by
    their ids.

    Of an answer that calls tools of one name that is told without reading it; of those that call
    several, the first READ_MOST are read.
    """
    names = _names(conn, ns_id, set(calls.values())) if calls else {}
    told = {
        call: next(iter(names[id])) for call, id in calls.items() if len(names.get(id, ())) == 1
    }
    unclear = {id for call, id in calls.items() if len(names.get(id, ())) > 1}
    for id in list(unclear)[:READ_MOST]:
        made = detail.answer(conn, ns_id, id)[1]
        told |= {one.call_id: one.name for one in made if one.call_id and one.call_id in calls}
    naming = _naming(conn, ns_id, {calls[call] for call in told}) if told else {}
    return {
        call: naming[calls[call]].of(name) if calls[call] in naming else name
        for call, name in told.items()
    }


def _naming(conn: Connection, ns_id: int, requests: Collection[UUID]) -> dict[UUID, ClientNames]:
    """Of the requests whose tools had a prefix."""
    asked = RequestTable
    same = and_(ShortenedTable.ns_id == asked.ns_id, ShortenedTable.hash == asked.shortened)
    query = (
        select(asked.id, asked.namespace_prefix, ShortenedTable.names)
        .outerjoin(ShortenedTable, same)
        .where(
            asked.ns_id == ns_id,
            asked.id == func.any(literal(list(requests))),
            asked.namespace_prefix.is_not(None),
        )
    )
    return {id: ClientNames(prefix or "", long or {}) for id, prefix, long in conn.execute(query)}


def _names(conn: Connection, ns_id: int, requests: Collection[UUID]) -> dict[UUID, set[str]]:
    told = ResponseTable
    query = select(told.id, told.tool_names).where(
        told.ns_id == ns_id, told.id == func.any(literal(list(requests)))
    )
    return {id: set(names or ()) for id, names in conn.execute(query)}
