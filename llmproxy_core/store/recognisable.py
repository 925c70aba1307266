"""What proxies need to recognise patterns: templates of prompts, outlines of the versions of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from llmproxy_core.patterns.signatures import Signatures
from llmproxy_core.store.prepared import Prepared

MOST = 1_000
"""Patterns of a kind in a namespace, those that were seen last."""
MOST_OUTLINES = 4
"""Of a pattern, the latest."""

STAMP = Prepared(
    text("""
SELECT n.ns_id, n.name, h.id FROM namespaces n CROSS JOIN LATERAL (
    SELECT o.id FROM pattern_history o WHERE o.ns_id = n.ns_id ORDER BY o.id DESC LIMIT 1
) AS h ORDER BY n.ns_id
""")
)
TEMPLATES = Prepared(
    text("""
SELECT p.id, p.name, coalesce(p.type, ''), p.pieces, p.state -> 'pattern' -> 'runs'
FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.kind = 'user' AND p.merged_into IS NULL
ORDER BY p.last_seen DESC, p.id LIMIT :limit
""")
)
OUTLINES = Prepared(
    text("""
SELECT p.kind, p.id, p.name, coalesce(p.type, ''),
    jsonb_path_query_array(p.state, '$.family.candidates[*].outline'),
    jsonb_path_query_array(p.state, '$.family.versions[*].outline')
FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.kind IN ('system', 'tools') AND p.merged_into IS NULL
ORDER BY p.last_seen DESC, p.id LIMIT :limit
""")
)
MERGED = Prepared(
    text("""
SELECT p.id, p.merged_into FROM prompt_patterns p
WHERE p.ns_id = :ns_id AND p.merged_into IS NOT NULL
ORDER BY p.last_seen DESC, p.id LIMIT :limit
""")
)

type Stamp = tuple[tuple[int, str, UUID], ...]
"""Of each namespace that has patterns: its id, its name, and the last that became of any of them."""


@dataclass(frozen=True, slots=True)
class Template:
    """As `Signatures.of` wants it."""

    id: str
    runs: tuple[str, ...]
    wording: Sequence[str | None]
    kind: str = "user"

    def pieces(self) -> list[str | None]:
        return list(self.wording)


def stamp(conn: Connection) -> Stamp:
    return tuple((ns_id, name, id) for ns_id, name, id in STAMP.rows(conn))


def recognisable(conn: Connection, ns_id: int) -> dict[str, Any]:
    """The patterns of a namespace as `enhancing.recognised` reads them."""
    named: dict[str, list[str]] = {}
    templates: list[Template] = []
    for id, name, type, pieces, runs in TEMPLATES.rows(conn, ns_id=ns_id, limit=MOST):
        if runs:
            named[str(id)] = [name, type]
            templates.append(Template(str(id), tuple(map(str, runs)), pieces))
    outlines: dict[str, dict[str, str]] = {}
    for kind, id, name, type, *told in OUTLINES.rows(conn, ns_id=ns_id, limit=MOST):
        named[str(id)] = [name, type]
        latest = [one for numbers in told for one in numbers][-MOST_OUTLINES:]
        outlines.setdefault(kind, {}).update({f"{int(one):x}": str(id) for one in latest})
    found: dict[str, Any] = {"named": named}
    if templates:
        found["signatures"] = Signatures.of(templates).to_json()
    if outlines:
        found["outlines"] = outlines
    if merged := {str(id): str(heir) for id, heir in MERGED.rows(conn, ns_id=ns_id, limit=MOST)}:
        found["merged"] = merged
    return found
