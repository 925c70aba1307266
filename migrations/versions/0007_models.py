"""The models that were seen, and requests by model: `model:` finds rare ones at once."""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEX = "requests_ns_id_model_id_idx"

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

WEEKS = """
SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = 'requests'::regclass ORDER BY inhrelid
"""


def upgrade() -> None:
    bind = op.get_bind()
    with op.get_context().autocommit_block():
        steps = Steps(bind)
        steps.short(TABLE)
        steps.short(f"CREATE INDEX IF NOT EXISTS {INDEX} ON ONLY requests (ns_id, model, id)")
        for (week,) in bind.exec_driver_sql(WEEKS).all():
            _index(steps, week)


def _index(steps: Steps, week: str) -> None:
    name = f"{week}_ns_id_model_id_idx"
    if steps.ask(
        "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)"
        " AND inhparent = to_regclass(%s)",
        name,
        INDEX,
    ):
        return
    if steps.ask(
        "SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass(%s)", name
    ):
        steps.short(f"DROP INDEX {name}")
    steps.long(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {week} (ns_id, model, id)")
    steps.short(f"ALTER INDEX {INDEX} ATTACH PARTITION {name}")
