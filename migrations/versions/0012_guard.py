"""What the guard keeps: anomalies, policies, what policies decided, and calls that wait for a person.

New tables: nobody is kept from anything. `llmproxy_protect()` knows `security_policies` now, which
is of no namespace.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The same finding in the same text is one row: `evidence` tells several in a text apart.
ANOMALIES = """
CREATE TABLE IF NOT EXISTS anomalies (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    side text NOT NULL,
    at timestamptz NOT NULL,
    detector text NOT NULL,
    family text NOT NULL,
    score real NOT NULL,
    severity text NOT NULL,
    author text NOT NULL,
    kind text NOT NULL,
    tool text NOT NULL,
    said text NOT NULL,
    excerpt text NOT NULL,
    mark_start integer NOT NULL,
    mark_end integer NOT NULL,
    text_hash uuid NOT NULL,
    evidence uuid NOT NULL,
    times integer NOT NULL,
    last_at timestamptz NOT NULL,
    last_request_id uuid NOT NULL,
    status text NOT NULL,
    status_by text,
    status_why text,
    status_at timestamptz,
    PRIMARY KEY (ns_id, id),
    UNIQUE (ns_id, text_hash, detector, evidence)
);
CREATE INDEX IF NOT EXISTS anomalies_ns_id_status_severity_id_idx
    ON anomalies (ns_id, status, severity, id);
CREATE INDEX IF NOT EXISTS anomalies_ns_id_status_family_severity_id_idx
    ON anomalies (ns_id, status, family, severity, id);
CREATE INDEX IF NOT EXISTS anomalies_ns_id_request_id_idx ON anomalies (ns_id, request_id);
CREATE INDEX IF NOT EXISTS anomalies_ns_id_last_request_id_idx
    ON anomalies (ns_id, last_request_id);
CREATE INDEX IF NOT EXISTS anomalies_ns_id_status_at_idx ON anomalies (ns_id, status_at)
    WHERE status_at IS NOT NULL;
"""

# Names are those of all proxies, as those of namespaces are. `since`: its expression is this one.
POLICIES = """
CREATE TABLE IF NOT EXISTS security_policies (
    name text PRIMARY KEY,
    expression text NOT NULL,
    action text NOT NULL,
    mode text NOT NULL,
    priority integer NOT NULL,
    settings jsonb NOT NULL,
    origin text NOT NULL,
    home text,
    since timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL
);
"""

# In weeks by their calls, with which they go.
DECISIONS = """
CREATE TABLE policy_decisions (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    policy text NOT NULL,
    mode text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    why text NOT NULL,
    findings uuid[] NOT NULL,
    PRIMARY KEY (ns_id, request_id, id)
) PARTITION BY RANGE (request_id);
CREATE INDEX policy_decisions_ns_id_policy_request_id_idx
    ON policy_decisions (ns_id, policy, request_id);

DO $$
DECLARE
    week record;
BEGIN
    FOR week IN
        SELECT regexp_replace(c.relname, '^responses_', 'policy_decisions_') AS name,
            pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'responses'::regclass
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF policy_decisions %s', week.name, week.bounds);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', week.name);
    END LOOP;
END $$;
"""

APPROVALS = """
CREATE TABLE IF NOT EXISTS approvals (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    policy text NOT NULL,
    asked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    said text NOT NULL,
    tool text NOT NULL,
    state text NOT NULL,
    decided_by text,
    why text,
    decided_at timestamptz,
    PRIMARY KEY (ns_id, request_id, tool)
);
CREATE INDEX IF NOT EXISTS approvals_ns_id_state_request_id_idx
    ON approvals (ns_id, state, request_id);
"""

# As of 0006, and `security_policies`.
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
            AND (c.relname IN ('spool_offsets', 'llmproxy_schema', 'security_policies')
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
            WHEN part.spaced OR part.name IN ('llmproxy_schema', 'spool_offsets', 'security_policies')
            THEN 'SELECT' END);
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


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        schema = steps.ask("SELECT quote_ident(current_schema())")
        steps.run(PROTECT.format(schema=schema))
        for sql in (ANOMALIES, POLICIES, APPROVALS):
            steps.run(sql)
        if steps.ask("SELECT to_regclass('policy_decisions')::text") is None:
            steps.short(DECISIONS)
        for table in ("anomalies", "security_policies", "policy_decisions", "approvals"):
            steps.short(f"SELECT llmproxy_protect('{table}')")
