"""The models that were seen, so that `model:` finds rare ones at once."""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What was stored until now: its pairs are not known, hence the mark where there is anything.
TABLE = """
CREATE TABLE IF NOT EXISTS models (
    ns_id integer NOT NULL,
    asked text NOT NULL,
    answered text NOT NULL,
    PRIMARY KEY (ns_id, asked, answered)
);
INSERT INTO models (ns_id, asked, answered)
SELECT n.ns_id, '*', '*' FROM namespaces n
WHERE EXISTS (SELECT FROM requests r WHERE r.ns_id = n.ns_id) ON CONFLICT DO NOTHING;
SELECT llmproxy_protect('models');
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        Steps(op.get_bind()).short(TABLE)
