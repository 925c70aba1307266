"""A week with few calls takes less: indexes that only many rows need come when it has grown, and
until then its words are kept beside its answers."""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GROWN = 4 * 2**20
"""Bytes of a week's requests, or of its answers."""

# What most rows have alike is NULL: see store/columns.py.
COLUMNS = {
    "requests": ("scheme", "port", "http_version", "body_kept", "hash_in"),
    "responses": ("body_kept", "hash_in"),
}
WORDS = """
ALTER TABLE responses ADD COLUMN IF NOT EXISTS words bytea;
ALTER TABLE responses ALTER COLUMN words SET STORAGE EXTERNAL
"""

# The parents have had these for some days. Locked in the order of the writer.
LATE = {
    "requests": {
        "model": "(ns_id, model, id)",
        "head": "(ns_id, head) WHERE head IS NOT NULL",
    },
    "responses": {"words": "(ns_id, id) WHERE words IS NOT NULL"},
}
FORMER = ("requests_ns_id_head_idx", "requests_ns_id_model_id_idx")

# SECURITY DEFINER: who may write rows may also have them indexed. Tells of each week whether it is
# (NULL: what is older than the weeks). The locks are taken in the order of the writer.
INDEX = """
CREATE OR REPLACE FUNCTION llmproxy_index_weeks(bytes bigint) RETURNS TABLE (epoch integer, indexed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
AS $$
DECLARE
    week text;
BEGIN
    PERFORM pg_advisory_xact_lock(x'6c6c6d07'::bigint);
    -- without statistics the planner takes a new week for empty, and goes through all of it
    FOR week IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('requests'::regclass, 'responses'::regclass)
            AND pg_relation_size(c.oid) / current_setting('block_size')::integer
                > 2 * c.relpages + 8
    LOOP
        EXECUTE format('ANALYZE %I', week);
    END LOOP;
    FOR week IN
        SELECT substring(c.relname FROM 10) FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class r ON r.relnamespace = c.relnamespace
            AND r.relname = 'requests' || substring(c.relname FROM 10)
        JOIN pg_class s ON s.relnamespace = c.relnamespace
            AND s.relname = 'search' || substring(c.relname FROM 10)
        WHERE i.inhparent = 'responses'::regclass
            AND greatest(pg_relation_size(c.oid), pg_relation_size(r.oid)) > bytes
            AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = s.oid)
    LOOP
{late}
        EXECUTE format('CREATE INDEX ON %I USING gin (words)', 'search' || week);
        EXECUTE format('CREATE INDEX ON %I USING brin (ns_id, id)'
            ' WITH (pages_per_range = 16, autosummarize = on)', 'search' || week);
        EXECUTE format('ANALYZE %I', 'requests' || week);
        EXECUTE format('ANALYZE %I', 'responses' || week);
        EXECUTE format('ANALYZE %I', 'search' || week);
    END LOOP;
    RETURN QUERY SELECT substring(s.relname FROM '_w([0-9]+)$')::integer,
            EXISTS (SELECT FROM pg_index x WHERE x.indrelid = s.oid)
        FROM pg_inherits i JOIN pg_class s ON s.oid = i.inhrelid
        WHERE i.inhparent = 'search'::regclass;
END $$;
DROP FUNCTION IF EXISTS llmproxy_index_search(bigint);
"""
LATE_INDEX = """
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I {what}',
            '{table}' || week || '_{name}_idx', '{table}' || week);"""

PARTS = """
SELECT c.relname, pg_relation_size(c.oid) > {grown} FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass ORDER BY c.relname
"""


def upgrade() -> None:
    bind = op.get_bind()
    with op.get_context().autocommit_block():
        steps = Steps(bind)
        for table, names in COLUMNS.items():
            changes = ", ".join(f"ALTER COLUMN {name} DROP NOT NULL" for name in names)
            steps.short(f"ALTER TABLE {table} {changes}")
        steps.short(WORDS)
        for table, indexes in LATE.items():
            parts = bind.exec_driver_sql(PARTS.format(table=table, grown=GROWN)).all()
            for part, grown in parts:
                steps.short(f"ALTER TABLE {part} SET (toast_tuple_target = 4080)")
                for name, what in indexes.items() if grown else ():
                    steps.index(part, f"{part}_{name}_idx", what)
        for former in FORMER:
            steps.short(f"DROP INDEX IF EXISTS {former}")
        schema = str(steps.ask("SELECT quote_ident(current_schema())"))
        late = "".join(
            LATE_INDEX.format(table=table, name=name, what=what)
            for table, indexes in LATE.items()
            for name, what in indexes.items()
        )
        steps.run(INDEX.format(schema=schema, late=late))
