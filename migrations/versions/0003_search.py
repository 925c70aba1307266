"""Full-text search: the words of what is new in each call."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# No key: a row is written once with its answer, and never looked up by id.
TABLE = """
CREATE TABLE search (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    words integer[] NOT NULL
) PARTITION BY RANGE (id);
-- hashes do not shrink
ALTER TABLE search ALTER COLUMN words SET STORAGE EXTERNAL;

DO $$
DECLARE
    week record;
BEGIN
    FOR week IN
        SELECT regexp_replace(c.relname, '^responses_', 'search_') AS name,
            pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'responses'::regclass
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF search %s', week.name, week.bounds);
    END LOOP;
END $$;
"""

# A small week is read through; one of over so many bytes gets indexes by words and by time.
INDEX = """
CREATE FUNCTION llmproxy_index_search(bytes bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
AS $$
DECLARE
    part regclass;
    made integer := 0;
BEGIN
    FOR part IN
        SELECT i.inhrelid::regclass FROM pg_inherits i
        WHERE i.inhparent = 'search'::regclass AND pg_relation_size(i.inhrelid) > bytes
            AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid)
    LOOP
        EXECUTE format('CREATE INDEX ON %s USING gin (words)', part);
        EXECUTE format('CREATE INDEX ON %s USING brin (ns_id, id)'
            ' WITH (pages_per_range = 16, autosummarize = on)', part);
        EXECUTE format('ANALYZE %s', part);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
"""

# SECURITY DEFINER: `@>` is not leakproof, so that under row-level security no index would serve.
# The caller sees what llmproxy_visible (0005) says of the role that it has taken on.
# `through`: read all between the two ids; else by the index of words.
FIND = """
CREATE FUNCTION llmproxy_search(
    part regclass, wanted integer[], unwanted integer[],
    low uuid, high uuid, most integer, through boolean
) RETURNS TABLE (ns_id integer, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp
AS $$
DECLARE
    caller name := coalesce(nullif(current_setting('role'), 'none'), session_user);
    spaces integer[] := llmproxy_visible(caller);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits i
            WHERE i.inhparent = 'search'::regclass AND i.inhrelid = part) THEN
        RAISE EXCEPTION '% is not a part of the search', part;
    END IF;
    RETURN QUERY EXECUTE format(
        CASE WHEN through
        THEN 'SELECT s.ns_id, s.id FROM (SELECT * FROM %s s'
            ' WHERE s.ns_id = ANY ($1) AND s.id >= $4 AND s.id < $5 OFFSET 0) s'
            ' WHERE s.words @> $2 AND NOT s.words && $3 ORDER BY s.id DESC LIMIT $6'
        ELSE 'SELECT s.ns_id, s.id FROM (SELECT * FROM %s s WHERE s.words @> $2 OFFSET 0) s'
            ' WHERE s.ns_id = ANY ($1) AND s.id >= $4 AND s.id < $5'
            ' AND NOT s.words && $3 ORDER BY s.id DESC LIMIT $6'
        END, part)
    USING spaces, wanted, unwanted, low, high, most;
END $$;
"""


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(TABLE)
    for function in (INDEX, FIND):
        op.get_bind().exec_driver_sql(
            function.format(schema=schema), execution_options={"no_parameters": True}
        )
