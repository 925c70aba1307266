"""What a namespace is told by and puts before names of tools, and what it did to a call.

Columns that are NULL: nothing is rewritten, each table is locked for some milliseconds. Names that
were shortened are in a table of their own, each set of them once.
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
    ADD COLUMN IF NOT EXISTS shortened uuid,
    ADD COLUMN IF NOT EXISTS left_alone text
"""

NAMES = """
CREATE TABLE IF NOT EXISTS shortened_names (
    ns_id integer NOT NULL,
    hash uuid NOT NULL,
    epoch integer NOT NULL,
    names jsonb NOT NULL,
    PRIMARY KEY (ns_id, hash)
);
SELECT llmproxy_protect('shortened_names');
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        steps = Steps(op.get_bind())
        steps.short(SPACES)
        steps.short(CALLS)
        steps.short(NAMES)
