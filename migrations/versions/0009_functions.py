"""Who may call the functions that act as the owner: making and indexing weeks is the writer's.

`llmproxy_grant_functions()` says it once more after roles have been made.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

GRANT = """
CREATE OR REPLACE FUNCTION llmproxy_grant_functions() RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp
AS $$
DECLARE
    grantee text;
BEGIN
    REVOKE EXECUTE ON FUNCTION llmproxy_make_weeks(integer[]), llmproxy_index_weeks(bigint)
        FROM PUBLIC;
    FOREACH grantee IN ARRAY ARRAY['llmproxy_writer', 'llmproxy_reader', 'llmproxy_admin'] LOOP
        CONTINUE WHEN to_regrole(grantee) IS NULL;
        EXECUTE format('GRANT USAGE ON SCHEMA {schema} TO %I', grantee);
        CONTINUE WHEN grantee = 'llmproxy_reader';
        EXECUTE format('GRANT EXECUTE ON FUNCTION llmproxy_make_weeks(integer[]),'
            ' llmproxy_index_weeks(bigint) TO %I', grantee);
    END LOOP;
END $$;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        schema = steps.ask("SELECT quote_ident(current_schema())")
        steps.run(GRANT.format(schema=schema))
        steps.short("SELECT llmproxy_grant_functions()")
