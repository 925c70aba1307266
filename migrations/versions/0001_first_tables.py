"""The first tables: sessions, requests, responses, tool calls, events, journal offsets."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE namespaces (
    ns_id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO namespaces (ns_id, name) VALUES (1, 'default');

CREATE TABLE sessions (
    ns_id integer NOT NULL REFERENCES namespaces (ns_id),
    id uuid NOT NULL,
    external_id text,
    source text NOT NULL,
    client text NOT NULL,
    user_agent text,
    provider text NOT NULL,
    model text,
    title text NOT NULL,
    started_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    requests bigint NOT NULL,
    responses bigint NOT NULL,
    errors bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    cost_usd numeric NOT NULL,
    PRIMARY KEY (ns_id, id)
);

CREATE INDEX ON sessions (ns_id, last_at);

CREATE TABLE requests (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    client text NOT NULL,
    user_agent text,
    proxy_user text,
    credential text,
    provider text NOT NULL,
    wire text NOT NULL,
    scheme text NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    http_version text NOT NULL,
    model text,
    stream boolean NOT NULL,
    n_messages integer NOT NULL,
    tool_names text[] NOT NULL,
    preview text NOT NULL,
    body_bytes bigint NOT NULL,
    body_kept text NOT NULL,
    hash_in uuid NOT NULL,
    hash_out uuid NOT NULL,
    parse_error text,
    headers jsonb NOT NULL,
    parameters jsonb NOT NULL,
    body_encoding text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (ns_id, id)
);

CREATE INDEX ON requests (ns_id, session_id, id);

CREATE TABLE responses (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    ended_at timestamptz NOT NULL,
    status integer,
    reason text,
    http_version text,
    head_ms double precision,
    first_byte_ms double precision,
    first_token_ms double precision,
    duration_ms double precision,
    model text,
    response_id text,
    finish_reasons text[] NOT NULL,
    text_start text NOT NULL,
    n_tool_calls integer NOT NULL,
    tool_names text[] NOT NULL,
    input_tokens bigint,
    output_tokens bigint,
    cached_tokens bigint,
    cache_write_tokens bigint,
    reasoning_tokens bigint,
    cost_usd numeric,
    cost_source text,
    cost_confidence text,
    error_type text,
    error text,
    n_events integer NOT NULL,
    body_bytes bigint NOT NULL,
    body_kept text NOT NULL,
    hash_in uuid NOT NULL,
    hash_out uuid NOT NULL,
    upload_bytes bigint,
    upload_hash_in uuid,
    upload_hash_out uuid,
    headers jsonb NOT NULL,
    trailers jsonb NOT NULL,
    usage json,
    text text NOT NULL,
    reasoning text NOT NULL,
    refusal text,
    body_encoding text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (ns_id, id)
);

CREATE INDEX ON responses (ns_id, response_id) WHERE response_id LIKE 'resp%';

CREATE TABLE tool_calls (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    ordinal integer NOT NULL,
    call_id text,
    name text NOT NULL,
    arguments text NOT NULL,
    PRIMARY KEY (ns_id, request_id, ordinal)
);

CREATE TABLE analytics_events (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    request_id uuid,
    data jsonb NOT NULL,
    PRIMARY KEY (ns_id, id)
);

CREATE INDEX ON analytics_events (ns_id, kind, id);

CREATE TABLE spool_offsets (
    writer text PRIMARY KEY,
    segment bigint NOT NULL,
    "offset" bigint NOT NULL,
    replay_segment bigint NOT NULL,
    replay_offset bigint NOT NULL
);

CREATE UNLOGGED TABLE stream_deltas (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (ns_id, request_id, seq)
);

-- Bodies are compressed already, and belong beside the row, not in it.
ALTER TABLE requests ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE responses ALTER COLUMN body SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    op.execute(SCHEMA)
