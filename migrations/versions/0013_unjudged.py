"""Calls that are still to be judged, and what is to be told to webhooks.

New tables: nobody is kept from anything.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UNJUDGED = """
CREATE TABLE IF NOT EXISTS unjudged (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    home text NOT NULL,
    request boolean NOT NULL,
    PRIMARY KEY (ns_id, id)
)
"""

# `body` is what is sent, word for word: a receiver may see it several times, always the same.
DELIVERIES = """
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    home text NOT NULL,
    webhook text NOT NULL,
    event text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    next_at timestamptz NOT NULL,
    answer text,
    PRIMARY KEY (ns_id, id)
);
CREATE INDEX IF NOT EXISTS webhook_deliveries_ns_id_state_next_at_idx
    ON webhook_deliveries (ns_id, state, next_at);
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        for table, sql in (("unjudged", UNJUDGED), ("webhook_deliveries", DELIVERIES)):
            steps.run(sql)
            steps.short(f"SELECT llmproxy_protect('{table}')")
