"""The statements that store what is learnt: rows come as one array a column."""

from collections.abc import Mapping

type Columns = Mapping[str, str]
"""Names and types, in order."""

APPLIED: Columns = {
    "ns_id": "int4",
    "request_id": "uuid",
    "kind": "text",
    "name": "text",
    "arm": "text",
    "why": "text",
    "root": "uuid",
    "kept": "float4",
}
CALLS: Columns = {
    "ns_id": "int4",
    "request_id": "uuid",
    "kind": "text",
    "pattern_id": "uuid",
    "version": "int4",
    "model": "text",
}
SIGNALS: Columns = {
    "ns_id": "int4",
    "request_id": "uuid",
    "name": "text",
    "source": "text",
    "verdict": "int2",
    "weight": "float4",
    "why": "text",
    "at": "timestamptz",
    "told_by": "uuid",
}
UNLEARNT: Columns = {"ns_id": "int4", "id": "uuid", "home": "text"}
PATTERNS: Columns = {
    "ns_id": "int4",
    "id": "uuid",
    "kind": "text",
    "name": "text",
    "type": "text",
    "type_confidence": "float4",
    "pieces": "jsonb",
    "structure": "jsonb",
    "state": "jsonb",
    "calls": "int8",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "merged_into": "uuid",
}
VERSIONS: Columns = {
    "ns_id": "int4",
    "pattern_id": "uuid",
    "number": "int4",
    "text_hash": "uuid",
    "text": "text",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "calls": "int8",
}
HISTORY: Columns = {
    "ns_id": "int4",
    "id": "uuid",
    "at": "timestamptz",
    "pattern_id": "uuid",
    "what": "text",
    "other": "uuid",
    "why": "text",
    "actor": "text",
}
UNITS: Columns = {
    "ns_id": "int4",
    "experiment_id": "uuid",
    "root": "uuid",
    "arm": "text",
    "first_request_id": "uuid",
    "first_at": "timestamptz",
    "last_at": "timestamptz",
    "calls": "int4",
    "success": "int2",
    "errors": "int4",
    "cost_usd": "numeric",
    "latency_ms": "float4",
    "input_tokens": "int8",
    "cached_tokens": "int8",
    "predicted_cached": "int8",
    "judged_at": "timestamptz",
}


def _insert(table: str, columns: Columns, conflict: str = "ON CONFLICT DO NOTHING") -> str:
    arrays = (f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in columns.values())
    told = (f"{name}::jsonb" if kind == "jsonb" else name for name, kind in columns.items())
    names = ", ".join(columns)
    return (
        f"INSERT INTO {table} AS known ({names}) SELECT {', '.join(told)} "  # noqa: S608
        f"FROM unnest({', '.join(arrays)}) AS new ({names}) {conflict}"
    )


def _over(columns: Columns, key: str, **kept: str) -> str:
    """The newer row takes the place of the older; `kept`: what becomes of a column instead."""
    names = [name for name in columns if name not in key.split(", ")]
    values = ", ".join(f"{name} = {kept.get(name, f'excluded.{name}')}" for name in names)
    return f"ON CONFLICT ({key}) DO UPDATE SET {values}"


SPAN = {
    "first_seen": "least(known.first_seen, excluded.first_seen)",
    "last_seen": "greatest(known.last_seen, excluded.last_seen)",
    "calls": "greatest(known.calls, excluded.calls)",
}
ADD_APPLIED = _insert(
    "applied", APPLIED, "ON CONFLICT DO NOTHING RETURNING request_id, kind, name, arm, why"
)
USED = """
UPDATE transformations t SET usage_count = t.usage_count + new.times,
    last_used = greatest(t.last_used, new.at)
FROM unnest(%s::text[], %s::int8[], %s::timestamptz[]) AS new (name, times, at)
WHERE t.name = new.name
"""
TRIED = """
UPDATE enhancements SET was_applied = true
WHERE ns_id = ANY (%s::int4[]) AND experiment_id = ANY (%s::uuid[]) AND NOT was_applied
"""
ADD_CALLS = _insert("pattern_calls", CALLS)
ADD_SIGNALS = _insert("signals", SIGNALS)
ADD_UNLEARNT = _insert("unlearnt", UNLEARNT)
ADD_HISTORY = _insert("pattern_history", HISTORY)
PUT_PATTERNS = _insert(
    "prompt_patterns",
    PATTERNS,
    _over(
        PATTERNS,
        "ns_id, id",
        **SPAN,
        name="CASE WHEN known.named_by IS NULL THEN excluded.name ELSE known.name END",
        merged_into="coalesce(known.merged_into, excluded.merged_into)",
        pieces="CASE WHEN excluded.pieces = '[]' THEN known.pieces ELSE excluded.pieces END",
        state="CASE WHEN excluded.state = '{}' THEN known.state ELSE excluded.state END",
    ),
)
_TEXT = "CASE WHEN excluded.text = '' THEN known.{0} ELSE excluded.{0} END"
PUT_VERSIONS = _insert(
    "pattern_versions",
    VERSIONS,
    _over(
        VERSIONS,
        "ns_id, pattern_id, number",
        **SPAN,
        text=_TEXT.format("text"),
        text_hash=_TEXT.format("text_hash"),
    ),
)
# What was counted of a conversation stays as it was then.
PUT_UNITS = _insert(
    "experiment_units",
    UNITS,
    _over(
        UNITS,
        "ns_id, experiment_id, root",
        first_request_id="least(known.first_request_id, excluded.first_request_id)",
        first_at="least(known.first_at, excluded.first_at)",
        calls="greatest(known.calls, excluded.calls)",
    )
    + " WHERE known.judged_at IS NULL",
)
# So that no pattern is merged into one that is merged itself.
FLATTEN = """
UPDATE prompt_patterns p SET merged_into = heir.merged_into FROM prompt_patterns heir
WHERE p.ns_id = ANY (%s::int4[]) AND p.merged_into = heir.id AND heir.ns_id = p.ns_id
    AND heir.merged_into IS NOT NULL AND heir.merged_into <> p.id
"""
LEARNT = """
DELETE FROM unlearnt u USING unnest(%s::int4[], %s::uuid[]) AS learnt (ns_id, id)
WHERE u.ns_id = learnt.ns_id AND u.id = learnt.id RETURNING u.id
"""
