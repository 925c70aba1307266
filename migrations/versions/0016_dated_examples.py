"""Examples of patterns with the times they came at.

Of those that are there nobody knows: retention, where it is on, takes them first. Some rows are
rewritten, nobody is kept from anything else.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# From ["a prompt"] to [["a prompt", 0]].
DATED = """
UPDATE prompt_patterns o SET state = jsonb_set(o.state, '{pattern,examples}', (
    SELECT jsonb_agg(jsonb_build_array(e.one, 0) ORDER BY e.number)
    FROM jsonb_array_elements(o.state #> '{pattern,examples}') WITH ORDINALITY AS e (one, number)))
WHERE jsonb_typeof(o.state #> '{pattern,examples,0}') = 'string'
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        Steps(op.get_bind()).run(DATED)
