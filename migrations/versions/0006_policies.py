"""Row-level security: every table with namespaces shows each role its own.

`llmproxy_protect()` does it for the tables that lack it: a migration that makes a table calls it.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

GRANT = """
CREATE OR REPLACE FUNCTION llmproxy_grant(grantee text, target text, rights text) RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp
AS $$
BEGIN
    IF rights IS NOT NULL AND to_regrole(grantee) IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %I TO %I', rights, target, grantee);
    END IF;
END $$;
"""

WEEKS = """
REVOKE EXECUTE ON FUNCTION llmproxy_make_weeks(integer[]) FROM PUBLIC;
DO $$
DECLARE grantee text;
BEGIN
    FOREACH grantee IN ARRAY ARRAY['llmproxy_writer', 'llmproxy_admin'] LOOP
        IF to_regrole(grantee) IS NOT NULL THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION llmproxy_make_weeks(integer[]) TO %I',
                grantee);
        END IF;
    END LOOP;
    FOREACH grantee IN ARRAY ARRAY['llmproxy_writer', 'llmproxy_reader', 'llmproxy_admin'] LOOP
        IF to_regrole(grantee) IS NOT NULL THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), grantee);
        END IF;
    END LOOP;
END $$;
"""

# The sub-select is asked once a query, not once a row. A namespace is inserted before its number
# can be among the visible ones, hence the other form for `namespaces`.
PROTECT = """
CREATE OR REPLACE FUNCTION llmproxy_protect(wanted text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp
AS $$
DECLARE
    part record;
    rights text;
BEGIN
    FOR part IN
        SELECT c.oid, c.relname AS name, c.relkind = 'p' AS hot, c.relispartition AS week,
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'ns_id')
                AS spaced,
            EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS done,
            c.relrowsecurity AS closed
        FROM pg_class c
        WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p')
            AND (wanted IS NULL OR c.relname = wanted)
            AND (c.relname IN ('spool_offsets', 'llmproxy_schema')
                OR EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'ns_id'))
        ORDER BY c.relname
    LOOP
        IF part.spaced AND NOT part.closed THEN
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part.name);
        END IF;
        CONTINUE WHEN part.week;
        IF part.spaced AND NOT part.done THEN
            EXECUTE format('CREATE POLICY by_namespace ON %I USING (%s)', part.name,
                CASE WHEN part.name = 'namespaces'
                THEN '(SELECT llmproxy_sees_all(current_user))'
                    ' OR ns_id = ANY ((SELECT llmproxy_visible(current_user))::integer[])'
                ELSE 'ns_id = ANY ((SELECT llmproxy_visible(current_user))::integer[])' END);
        END IF;
        PERFORM llmproxy_grant('llmproxy_reader', part.name, CASE
            WHEN part.spaced OR part.name IN ('llmproxy_schema', 'spool_offsets') THEN 'SELECT' END);
        rights := CASE
            WHEN part.name IN ('llmproxy_schema', 'namespace_members') THEN 'SELECT'
            WHEN part.hot OR part.name = 'audit_events' THEN 'SELECT, INSERT'
            WHEN part.name IN ('namespaces', 'sessions', 'audit_heads')
                THEN 'SELECT, INSERT, UPDATE'
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
        PERFORM llmproxy_grant('llmproxy_writer', part.name, rights);
        PERFORM llmproxy_grant('llmproxy_admin', part.name, CASE
            WHEN part.name LIKE 'audit%' OR part.name = 'llmproxy_schema' THEN rights
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END);
    END LOOP;
END $$;
"""

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
AND relkind IN ('r', 'p') ORDER BY relname
"""


def upgrade() -> None:
    bind = op.get_bind()
    with op.get_context().autocommit_block():
        steps = Steps(bind)
        schema = steps.ask("SELECT quote_ident(current_schema())")
        for sql in (GRANT, PROTECT):
            steps.run(sql.format(schema=schema))
        for (table,) in bind.exec_driver_sql(TABLES).all():
            steps.short(f"SELECT llmproxy_protect('{table}')")
        steps.run(WEEKS)
