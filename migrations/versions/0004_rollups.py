"""Rollups: what was asked, answered, used and paid, per hour, model and client."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# `part`: a worker's own row, which it writes over with its running totals. Half a page stays free
# for that. `*_buckets`, `*_counts`: a sketch of durations, see store/sketch.py.
SCHEMA = """
CREATE TABLE rollups (
    ns_id integer NOT NULL,
    hour timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    client text NOT NULL,
    part bigint NOT NULL,
    requests bigint NOT NULL,
    errors bigint NOT NULL,
    tool_calls bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_usd numeric NOT NULL,
    duration_buckets smallint[] NOT NULL,
    duration_counts integer[] NOT NULL,
    first_token_buckets smallint[] NOT NULL,
    first_token_counts integer[] NOT NULL,
    PRIMARY KEY (ns_id, hour, provider, model, client, part)
) WITH (fillfactor = 50);
"""


def upgrade() -> None:
    op.execute(SCHEMA)
