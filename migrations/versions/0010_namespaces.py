"""What a namespace is told by and puts before names of tools, and what it did to a call.

Columns that are NULL: nothing is rewritten, each table is locked for some milliseconds.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SPACES = """
ALTER TABLE namespaces
    ADD COLUMN IF NOT EXISTS prefix text CONSTRAINT namespaces_prefix_key UNIQUE,
    ADD COLUMN IF NOT EXISTS match jsonb,
    ADD COLUMN IF NOT EXISTS reserved jsonb,
    ADD COLUMN IF NOT EXISTS on_too_long text,
    ADD COLUMN IF NOT EXISTS position integer,
    ADD COLUMN IF NOT EXISTS source text,
    ADD COLUMN IF NOT EXISTS home text,
    ADD COLUMN IF NOT EXISTS former_names text[] NOT NULL DEFAULT '{}'
"""

CALLS = """
ALTER TABLE requests
    ADD COLUMN IF NOT EXISTS namespace_prefix text,
    ADD COLUMN IF NOT EXISTS shortened jsonb,
    ADD COLUMN IF NOT EXISTS left_alone text
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        steps.short(SPACES)
        steps.short(CALLS)
