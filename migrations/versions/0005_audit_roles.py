"""Audit events that nobody can change; roles, and which namespaces each may see."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MEMBERS = """
CREATE TABLE namespace_members (
    ns_id integer NOT NULL REFERENCES namespaces (ns_id),
    role_name text NOT NULL,
    PRIMARY KEY (ns_id, role_name)
);
"""

AUDIT = """
CREATE TABLE audit_events (
    ns_id integer NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    detail text NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (ns_id, seq)
);

CREATE TABLE audit_heads (
    ns_id integer PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION llmproxy_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: audit events are only ever added', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION llmproxy_refuse_jump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ns_id <> OLD.ns_id OR NEW.seq <> OLD.seq + 1 THEN
        RAISE EXCEPTION 'audit_heads only goes on, one event at a time'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    EXECUTE FUNCTION llmproxy_refuse_change();
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON audit_heads
    EXECUTE FUNCTION llmproxy_refuse_change();
CREATE TRIGGER refuse_jump BEFORE UPDATE ON audit_heads
    FOR EACH ROW EXECUTE FUNCTION llmproxy_refuse_jump();
"""

# Roles belong to the whole server: another database may have made them, or be about to.
ROLES = """
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['llmproxy_writer', 'llmproxy_reader', 'llmproxy_admin'] LOOP
        BEGIN
            IF to_regrole(wanted) IS NULL THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
            NULL; -- `llmproxy db roles` tells what is missing
        END;
    END LOOP;
END $$;
"""

# `who` is asked for by the policies as current_user: in here that is the owner.
VISIBLE = """
CREATE FUNCTION llmproxy_sees_all(who name) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp
RETURN EXISTS (
    SELECT FROM pg_catalog.pg_roles r
    WHERE pg_has_role(who, r.oid, 'USAGE')
        AND (r.rolname IN ('llmproxy_writer', 'llmproxy_admin') OR r.oid =
            (SELECT relowner FROM pg_catalog.pg_class WHERE oid = '{schema}.namespaces'::regclass))
);

CREATE FUNCTION llmproxy_visible(who name) RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp
RETURN CASE
    WHEN NOT pg_has_role(session_user, who, 'MEMBER') THEN '{{}}'::integer[]
    WHEN llmproxy_sees_all(who) THEN (SELECT array_agg(ns_id) FROM namespaces)
    ELSE (SELECT coalesce(array_agg(DISTINCT m.ns_id), '{{}}')
        FROM namespace_members m JOIN pg_catalog.pg_roles r ON r.rolname = m.role_name
        WHERE pg_has_role(who, r.oid, 'USAGE'))
END;
"""


def upgrade() -> None:
    bind = op.get_bind()
    schema = bind.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for sql in (MEMBERS, AUDIT, ROLES, VISIBLE.format(schema=schema)):
        bind.exec_driver_sql(sql, execution_options={"no_parameters": True})
