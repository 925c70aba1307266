"""What is learnt of one call: its patterns, what was said of it, what proxies did to it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.store import verdicts
from llmproxy_core.store.learning_rows import AppliedKind, PatternKind
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.verdicts import Told

# A pattern that was merged is told as what it was merged into.
PATTERNS = Prepared(
    text("""
SELECT c.request_id, c.kind, coalesce(heir.id, p.id), coalesce(heir.name, p.name),
    coalesce(heir.type, p.type), c.version
FROM namespaces n JOIN pattern_calls c ON c.ns_id = n.ns_id
JOIN prompt_patterns p ON p.ns_id = c.ns_id AND p.id = c.pattern_id
LEFT JOIN prompt_patterns heir ON heir.ns_id = p.ns_id AND heir.id = p.merged_into
WHERE c.request_id = ANY (CAST(:ids AS uuid[])) AND c.request_id BETWEEN :low AND :high
ORDER BY c.request_id, array_position(ARRAY['user', 'system', 'tools'], c.kind)
""")
)
NAMESPACE = Prepared(
    text("""
SELECT r.ns_id FROM namespaces n JOIN requests r ON r.ns_id = n.ns_id WHERE r.id = :id
""")
)
APPLIED = Prepared(
    text("""
SELECT a.kind, coalesce(e.name, a.name), a.arm, a.why, a.kept FROM applied a
LEFT JOIN experiments e ON a.kind = 'experiment' AND e.ns_id = a.ns_id AND e.id::text = a.name
WHERE a.ns_id = :ns_id AND a.request_id = :id ORDER BY a.kind DESC, a.name
""")
)


@dataclass(frozen=True, slots=True)
class CallPattern:
    """`version`: of a system prompt or a set of tools."""

    kind: PatternKind
    id: UUID
    name: str
    type: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a proxy did to a request. `name`: of a transformation or an experiment; `why`: it was left
    alone. `kept`: the share of the cacheable prompt before the first edit; None: not known."""

    kind: AppliedKind
    name: str
    arm: str | None = None
    why: str | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True)
class CallLessons:
    """`signals`: those that stand, the oldest first."""

    patterns: list[CallPattern] = field(default_factory=list)
    signals: list[Told] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)


def of_call(conn: Connection, id: UUID) -> CallLessons:
    """Empty where nothing is known, or the call is not."""
    rows = NAMESPACE.rows(conn, id=id)
    if not rows:
        return CallLessons()
    ns_id = rows[0][0]
    done = [Applied(*row) for row in APPLIED.rows(conn, ns_id=ns_id, id=id)]
    said = verdicts.signals(conn, [(ns_id, id)]).get(id, [])
    return CallLessons(patterns_of(conn, [id]).get(id, []), said, done)


def patterns_of(conn: Connection, ids: list[UUID]) -> dict[UUID, list[CallPattern]]:
    """Of each call its patterns: of the prompt, the system prompt, the tools."""
    found: dict[UUID, list[CallPattern]] = {}
    if not ids:
        return found
    for id, *values in PATTERNS.rows(conn, ids=ids, low=min(ids), high=max(ids)):
        found.setdefault(id, []).append(CallPattern(*values))
    return found


def facts(patterns: list[CallPattern]) -> dict[str, Any]:
    """What expressions may ask of them (`expressions.triggers`)."""
    told: dict[str, Any] = {}
    for one in patterns:
        if one.kind == "user":
            told |= {
                "pattern.id": str(one.id), "pattern.name": one.name, "pattern.type": one.type,
            }  # fmt: skip
        else:
            told[f"pattern.{one.kind}"] = str(one.id)
    return told
