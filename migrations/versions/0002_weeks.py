"""Conversations, retention, and the hot tables in partitions of a week.

Runs beside writers, in steps that commit by themselves and can each be repeated: killed anywhere,
it goes on where it stopped. No row is rewritten: what was stored until now becomes the first
partition, NAME_before.
"""

import time

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WEEK_MS = 604_800_000
HEADROOM_MS = 8 * 86_400_000
"""What is written until this has run to its end must still fit under the boundary."""

HOT = {"requests": "id", "responses": "id", "tool_calls": "request_id", "analytics_events": "id"}

COLUMNS = {
    "namespaces": "ADD COLUMN IF NOT EXISTS retention_days integer",
    "sessions": "ADD COLUMN IF NOT EXISTS starred boolean NOT NULL DEFAULT false",
    "requests": """
        ADD COLUMN IF NOT EXISTS external_id text,
        ADD COLUMN IF NOT EXISTS parent_id uuid,
        ADD COLUMN IF NOT EXISTS relation text NOT NULL DEFAULT 'root',
        ADD COLUMN IF NOT EXISTS parent_call text,
        ADD COLUMN IF NOT EXISTS head uuid,
        ADD COLUMN IF NOT EXISTS base_id uuid,
        ALTER COLUMN headers DROP NOT NULL,
        ALTER COLUMN parameters DROP NOT NULL,
        ALTER COLUMN tool_names DROP NOT NULL,
        ALTER COLUMN body_encoding DROP NOT NULL,
        ALTER COLUMN body DROP NOT NULL
    """,
    "responses": """
        ADD COLUMN IF NOT EXISTS base_id uuid,
        ADD COLUMN IF NOT EXISTS estimated boolean NOT NULL DEFAULT false,
        ALTER COLUMN headers DROP NOT NULL,
        ALTER COLUMN trailers DROP NOT NULL,
        ALTER COLUMN text DROP NOT NULL,
        ALTER COLUMN reasoning DROP NOT NULL,
        ALTER COLUMN body_encoding DROP NOT NULL,
        ALTER COLUMN body DROP NOT NULL
    """,
}

NEWEST = """
SELECT max(newest.id::text) FROM namespaces n, LATERAL (
    SELECT {key} AS id FROM {table} t WHERE t.ns_id = n.ns_id ORDER BY {key} DESC LIMIT 1
) AS newest
"""

BLOBS = """
CREATE TABLE IF NOT EXISTS blobs (
    ns_id integer NOT NULL,
    epoch integer NOT NULL,
    hash uuid NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (ns_id, epoch, hash)
) PARTITION BY RANGE (epoch);
-- compressed already
ALTER TABLE blobs ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS blobs_before PARTITION OF blobs FOR VALUES FROM (MINVALUE) TO ({epoch})
    WITH (toast_tuple_target = 8160);
"""

SWAP = """
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;
ALTER TABLE {table} RENAME TO {before};
DO $$
DECLARE own record;
BEGIN
    FOR own IN SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = '{before}'::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', own.relname,
            regexp_replace(own.relname, '^{table}_', '{before}_'));
    END LOOP;
END $$;
{rename}
CREATE TABLE {table} (LIKE {before} INCLUDING DEFAULTS INCLUDING STORAGE)
    PARTITION BY RANGE ({key});
{indexes}
ALTER TABLE {table} ATTACH PARTITION {before} FOR VALUES FROM (MINVALUE) TO ('{boundary}');
"""

RENAME_ARGUMENTS = "ALTER TABLE tool_calls_before RENAME arguments TO arguments_start;"

INDEXES = {
    "requests": """
        ALTER TABLE requests ADD PRIMARY KEY (ns_id, id);
        CREATE INDEX ON requests (ns_id, session_id, id);
    """,
    "responses": """
        ALTER TABLE responses ADD PRIMARY KEY (ns_id, id);
        CREATE INDEX ON responses (ns_id, response_id) WHERE response_id LIKE 'resp%';
    """,
    "tool_calls": "ALTER TABLE tool_calls ADD PRIMARY KEY (ns_id, request_id, ordinal);",
    "analytics_events": """
        ALTER TABLE analytics_events ADD PRIMARY KEY (ns_id, id);
        CREATE INDEX ON analytics_events (ns_id, kind, id);
    """,
}

# A new partition is made beside the table and attached: that lock lets others read and write.
# SECURITY DEFINER: whoever may write rows may also have the week made that they belong to. Reached
# past its parent, a partition shows nothing: row-level security without a policy.
WEEKS = """
CREATE OR REPLACE FUNCTION llmproxy_week_start(epoch integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex(epoch::bigint * 604800000), 12, '0') || repeat('0', 20))::uuid;

CREATE OR REPLACE FUNCTION llmproxy_make_weeks(epochs integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
AS $$
DECLARE
    parent record;
    epoch integer;
    week text;
    bounds text;
BEGIN
    PERFORM pg_advisory_xact_lock(x'6c6c6d03'::bigint);
    FOR parent IN
        SELECT c.relname AS name, a.atttypid = 'uuid'::regtype AS by_id
        FROM pg_partitioned_table p
        JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
        WHERE c.relnamespace = '{schema}'::regnamespace
        ORDER BY c.relname
    LOOP
        FOREACH epoch IN ARRAY epochs LOOP
            week := parent.name || '_w' || epoch;
            CONTINUE WHEN to_regclass(quote_ident(week)) IS NOT NULL;
            bounds := CASE WHEN parent.by_id THEN format('FROM (%L) TO (%L)',
                    llmproxy_week_start(epoch), llmproxy_week_start(epoch + 1))
                ELSE format('FROM (%s) TO (%s)', epoch, epoch + 1) END;
            BEGIN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', week, parent.name);
                IF parent.name IN ('blobs', 'requests', 'responses') THEN -- TOAST is for few rows
                    EXECUTE format('ALTER TABLE %I SET (toast_tuple_target = %s)', week,
                        CASE parent.name WHEN 'blobs' THEN 8160 ELSE 4080 END);
                END IF;
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', week);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s',
                    parent.name, week, bounds);
            EXCEPTION WHEN invalid_object_definition THEN
                NULL; -- an older partition, NAME_before, holds that week already
            END;
        END LOOP;
    END LOOP;
END $$;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        _add_columns(steps)
        boundary = _fence_off(steps)
        schema = steps.ask("SELECT quote_ident(current_schema())")
        steps.run(WEEKS.format(schema=schema))
        for table, key in HOT.items():
            _swap(steps, table, key, boundary)
        steps.run(BLOBS.format(epoch=_epoch(boundary)))
        now = time.time_ns() // 1_000_000 // WEEK_MS
        ahead = sorted({*range(now, now + 3), *range(_epoch(boundary), now + 3)})
        steps.run(f"SELECT llmproxy_make_weeks('{{{','.join(map(str, ahead))}}}')")


def _add_columns(steps: Steps) -> None:
    for table, changes in COLUMNS.items():
        if not _is_partitioned(steps, table):
            steps.short(f"ALTER TABLE {table} {changes}")


def _fence_off(steps: Steps) -> str:
    """Promise, for all four tables alike, that ids lie below a boundary; the boundary."""
    if (known := _boundary(steps)) is None:
        known = _new_boundary(steps)
    for table, key in HOT.items():
        if not _is_partitioned(steps, table):
            name = f"{table}_before_check"
            steps.short(
                f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name};"
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({key} < '{known}') NOT VALID"
            )
            steps.long(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    return known


def _boundary(steps: Steps) -> str | None:
    """What an earlier run has decided; the constraint stays for good."""
    found = steps.ask(
        "SELECT substring(pg_get_constraintdef(oid) FROM '''([0-9a-f-]{36})''') FROM pg_constraint"
        " WHERE conname = 'requests_before_check' AND connamespace = current_schema()::regnamespace"
    )
    return None if found is None else str(found)


def _new_boundary(steps: Steps) -> str:
    """The beginning of this week in an empty store, else of a week that nothing has reached."""
    newest = max(
        str(steps.ask(NEWEST.format(key=key, table=table)) or "") for table, key in HOT.items()
    )
    now = time.time_ns() // 1_000_000
    epoch = now // WEEK_MS
    if newest:
        epoch = max(now + HEADROOM_MS, int(newest[:13].replace("-", ""), 16)) // WEEK_MS + 1
    digits = f"{epoch * WEEK_MS:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


def _swap(steps: Steps, table: str, key: str, boundary: str) -> None:
    """The table becomes the first partition of a new one of its name."""
    if _is_partitioned(steps, table):
        return
    steps.short(
        SWAP.format(
            table=table,
            before=f"{table}_before",
            key=key,
            boundary=boundary,
            indexes=INDEXES[table],
            rename=RENAME_ARGUMENTS if table == "tool_calls" else "",
        )
    )


def _epoch(boundary: str) -> int:
    return int(boundary[:13].replace("-", ""), 16) // WEEK_MS


def _is_partitioned(steps: Steps, table: str) -> bool:
    kind = steps.ask("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", table)
    return kind == "p"
