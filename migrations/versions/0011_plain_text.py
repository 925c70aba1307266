"""Whether a namespace wants names of tools within texts to have its prefix, too.

A column that is NULL: nothing is rewritten, the table is locked for some milliseconds.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        Steps(op.get_bind()).short(
            "ALTER TABLE namespaces ADD COLUMN IF NOT EXISTS plain_text boolean"
        )
