"""What is written of a namespace's calls.

A column that is NULL: nothing is rewritten, the table is locked for some milliseconds.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        Steps(op.get_bind()).short("ALTER TABLE namespaces ADD COLUMN IF NOT EXISTS capture text")
