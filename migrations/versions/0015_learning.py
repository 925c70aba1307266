"""What is learnt: prompt patterns, signals of success, transformations, enhancements, experiments.

New tables: nobody is kept from anything. `llmproxy_protect()` knows `transformations` now, which is
of no namespace.
"""

from alembic import op

from llmproxy_core.store.steps import Steps

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# `pieces`: the template; `structure`: roles, tools, parameters, wire, sites; `state`: what the
# miner needs to go on. A pattern that was merged stays, and says into which. `changed_at`: when a
# person named or merged it; `wanted_at`: when one wanted the advisor to be asked.
PATTERNS = """
CREATE TABLE IF NOT EXISTS prompt_patterns (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    named_by text,
    type text,
    type_confidence real,
    pieces jsonb NOT NULL,
    structure jsonb NOT NULL,
    state jsonb NOT NULL,
    calls bigint NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    merged_into uuid,
    changed_at timestamptz,
    wanted_at timestamptz,
    wanted_by text,
    PRIMARY KEY (ns_id, id)
);
CREATE INDEX IF NOT EXISTS prompt_patterns_ns_id_kind_last_seen_idx
    ON prompt_patterns (ns_id, kind, last_seen);
CREATE INDEX IF NOT EXISTS prompt_patterns_ns_id_merged_into_idx
    ON prompt_patterns (ns_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX IF NOT EXISTS prompt_patterns_ns_id_changed_at_idx
    ON prompt_patterns (ns_id, changed_at) WHERE changed_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS prompt_patterns_ns_id_wanted_at_idx
    ON prompt_patterns (ns_id, wanted_at) WHERE wanted_at IS NOT NULL;
"""

VERSIONS = """
CREATE TABLE IF NOT EXISTS pattern_versions (
    ns_id integer NOT NULL,
    pattern_id uuid NOT NULL,
    number integer NOT NULL,
    text_hash uuid NOT NULL,
    text text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    calls bigint NOT NULL,
    PRIMARY KEY (ns_id, pattern_id, number)
);
"""

HISTORY = """
CREATE TABLE IF NOT EXISTS pattern_history (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    pattern_id uuid NOT NULL,
    what text NOT NULL,
    other uuid,
    why text NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (ns_id, id)
);
CREATE INDEX IF NOT EXISTS pattern_history_ns_id_pattern_id_at_idx
    ON pattern_history (ns_id, pattern_id, at);
"""

# `part`: a worker's own row, as of rollups. `judged`, `good`: calls that a signal which counts says
# anything of, and those that it says nothing bad of. `bad`: signal -> calls.
DAYS = """
CREATE TABLE IF NOT EXISTS pattern_days (
    ns_id integer NOT NULL,
    pattern_id uuid NOT NULL,
    day date NOT NULL,
    model text NOT NULL,
    part bigint NOT NULL,
    calls bigint NOT NULL,
    judged bigint NOT NULL,
    good bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    cost_usd numeric NOT NULL,
    duration_buckets smallint[] NOT NULL,
    duration_counts integer[] NOT NULL,
    bad jsonb NOT NULL,
    PRIMARY KEY (ns_id, pattern_id, day, model, part)
) WITH (fillfactor = 50);
"""

# Calls that the worker of a home is still to learn from.
UNLEARNT = """
CREATE TABLE IF NOT EXISTS unlearnt (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    home text NOT NULL,
    PRIMARY KEY (ns_id, id)
);
"""

# Names are those of all proxies, as those of policies are.
TRANSFORMATIONS = """
CREATE TABLE IF NOT EXISTS transformations (
    name text PRIMARY KEY,
    expression text NOT NULL,
    logic jsonb NOT NULL,
    sort_order integer NOT NULL,
    active boolean NOT NULL,
    usage_count bigint NOT NULL DEFAULT 0,
    last_used timestamptz,
    origin text NOT NULL,
    home text,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL
);
"""

# `digest`: of the edit, which is not suggested twice. `evidence`: what it was suggested for.
# `decided_*`: the last of its `history`, which is as `enhancements.record` writes it.
ENHANCEMENTS = """
CREATE TABLE IF NOT EXISTS enhancements (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    pattern_id uuid NOT NULL,
    type text NOT NULL,
    aim text NOT NULL,
    edit jsonb NOT NULL,
    digest uuid NOT NULL,
    wires text[] NOT NULL,
    confidence real NOT NULL,
    reasoning text NOT NULL,
    source_engine text NOT NULL,
    saving_usd_per_day double precision,
    status text NOT NULL,
    was_applied boolean NOT NULL,
    effectiveness_score real,
    evidence jsonb NOT NULL,
    history jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    decided_by text NOT NULL,
    decided_why text NOT NULL,
    decided_at timestamptz NOT NULL,
    experiment_id uuid,
    PRIMARY KEY (ns_id, id),
    UNIQUE (ns_id, pattern_id, digest)
);
CREATE INDEX IF NOT EXISTS enhancements_ns_id_status_id_idx ON enhancements (ns_id, status, id);
CREATE INDEX IF NOT EXISTS enhancements_ns_id_pattern_id_id_idx
    ON enhancements (ns_id, pattern_id, id);
"""

# What the advisor was asked about, so that it is asked once; and what came of it, in words.
ADVISED = """
CREATE TABLE IF NOT EXISTS advised (
    ns_id integer NOT NULL,
    pattern_id uuid NOT NULL,
    evidence_hash uuid NOT NULL,
    at timestamptz NOT NULL,
    said text NOT NULL,
    PRIMARY KEY (ns_id, pattern_id, evidence_hash)
);
"""

# `definition`: the whole of it, as `Experiment.to_json` writes it; `tally`, `verdict`: the last while
# it ran; `probation`: the same since it was promoted, beside the holdout.
EXPERIMENTS = """
CREATE TABLE IF NOT EXISTS experiments (
    ns_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    pattern_id uuid,
    enhancement_id uuid,
    definition jsonb NOT NULL,
    status text NOT NULL,
    tally jsonb NOT NULL,
    verdict jsonb NOT NULL,
    probation jsonb,
    judged_at timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    ended_by text,
    ended_why text,
    PRIMARY KEY (ns_id, id),
    UNIQUE (ns_id, name)
);
CREATE INDEX IF NOT EXISTS experiments_ns_id_status_id_idx ON experiments (ns_id, status, id);
"""

# One conversation each. `success`: 1, 0, or NULL while no signal that counts says anything.
# `judged_at`: when it was counted. `latency_ms`: the mean of its calls; `cost_usd`: NULL if unknown.
UNITS = """
CREATE TABLE IF NOT EXISTS experiment_units (
    ns_id integer NOT NULL,
    experiment_id uuid NOT NULL,
    root uuid NOT NULL,
    arm text NOT NULL,
    first_request_id uuid NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    calls integer NOT NULL,
    success smallint,
    errors integer NOT NULL,
    cost_usd numeric,
    latency_ms real,
    input_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    predicted_cached bigint NOT NULL,
    judged_at timestamptz,
    PRIMARY KEY (ns_id, experiment_id, root)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS experiment_units_ns_id_experiment_id_last_at_idx
    ON experiment_units (ns_id, experiment_id, last_at);
CREATE INDEX IF NOT EXISTS experiment_units_ns_id_first_at_idx
    ON experiment_units (ns_id, first_at) WHERE judged_at IS NULL;
"""

# In weeks by their calls, with which they go. `verdict`: 1 good, -1 bad; who thinks again says it
# in a row of its own; `told_by`: the later call that told it. `applied`: what the proxy did to a request (`kind`: transformation or
# experiment; `name`: of the one, or the id of the other; `why`: it was left alone).
WEEKLY = """
CREATE TABLE pattern_calls (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    kind text NOT NULL,
    pattern_id uuid NOT NULL,
    version integer,
    model text,
    PRIMARY KEY (ns_id, request_id, kind)
) PARTITION BY RANGE (request_id);
CREATE INDEX pattern_calls_ns_id_pattern_id_request_id_idx
    ON pattern_calls (ns_id, pattern_id, request_id);

CREATE TABLE signals (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    verdict smallint NOT NULL,
    weight real NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL,
    told_by uuid,
    PRIMARY KEY (ns_id, request_id, name, source, at)
) PARTITION BY RANGE (request_id);

CREATE TABLE applied (
    ns_id integer NOT NULL,
    request_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    arm text,
    why text,
    root uuid,
    kept real,
    PRIMARY KEY (ns_id, request_id, kind, name)
) PARTITION BY RANGE (request_id);
CREATE INDEX applied_ns_id_kind_name_request_id_idx ON applied (ns_id, kind, name, request_id);

DO $$
DECLARE
    week record;
    hot text;
BEGIN
    FOREACH hot IN ARRAY ARRAY['pattern_calls', 'signals', 'applied'] LOOP
        FOR week IN
            SELECT regexp_replace(c.relname, '^responses_', hot || '_') AS name,
                pg_get_expr(c.relpartbound, c.oid) AS bounds
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'responses'::regclass
        LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I %s', week.name, hot, week.bounds);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', week.name);
        END LOOP;
    END LOOP;
END $$;
"""

# Who says what an answer was worth names it by its id. A week that has grown finds it by this index,
# a smaller one is read through; ids of `resp...` have had one of their own since 0001.
ANSWERS = "USING hash (response_id) WHERE response_id NOT LIKE 'resp%'"
GROWN = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_class s ON s.relnamespace = c.relnamespace
    AND s.relname = 'search' || substring(c.relname FROM 10)
WHERE i.inhparent = 'responses'::regclass AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = s.oid)
ORDER BY c.relname
"""
# The function as it is, with one more index.
INDEX = """
DO $$
BEGIN
    EXECUTE replace(
        pg_get_functiondef('{schema}.llmproxy_index_weeks(bigint)'::regprocedure),
        $t$EXECUTE format('CREATE INDEX ON %I USING gin$t$,
        $t$EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I {answers}',
            'responses' || week || '_answer_idx', 'responses' || week);
        EXECUTE format('CREATE INDEX ON %I USING gin$t$);
END $$;
"""

# The function as it is, with one more table that is of no namespace.
PROTECT = """
DO $$
BEGIN
    EXECUTE replace(
        pg_get_functiondef('{schema}.llmproxy_protect(text)'::regprocedure),
        $t$'security_policies'$t$, $t$'security_policies', 'transformations'$t$);
END $$;
"""

# What an experiment has won may tell of prompts of its namespace: it is seen by whom that is.
BY_EXPERIMENT = """
ALTER TABLE transformations ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS by_experiment ON transformations;
CREATE POLICY by_experiment ON transformations USING (
    origin NOT LIKE 'experiment:%'
    OR EXISTS (SELECT FROM experiments e WHERE 'experiment:' || e.id = origin));
"""

TABLES = {
    "prompt_patterns": PATTERNS,
    "pattern_versions": VERSIONS,
    "pattern_history": HISTORY,
    "pattern_days": DAYS,
    "unlearnt": UNLEARNT,
    "transformations": TRANSFORMATIONS,
    "enhancements": ENHANCEMENTS,
    "advised": ADVISED,
    "experiments": EXPERIMENTS,
    "experiment_units": UNITS,
}


KNOWN = "SELECT strpos(prosrc, %s) FROM pg_proc WHERE oid = %s::regprocedure"


def upgrade() -> None:
    bind = op.get_bind()
    with op.get_context().autocommit_block():
        steps = Steps(bind)
        schema = steps.ask("SELECT quote_ident(current_schema())")
        if not steps.ask(KNOWN, "transformations", f"{schema}.llmproxy_protect(text)"):
            steps.run(PROTECT.format(schema=schema))
        if not steps.ask(KNOWN, "_answer_idx", f"{schema}.llmproxy_index_weeks(bigint)"):
            answers = ANSWERS.replace("'", "''").replace("%", "%%")
            steps.run(INDEX.format(schema=schema, answers=answers))
        for part in bind.exec_driver_sql(GROWN).scalars().all():
            steps.index(part, f"{part}_answer_idx", ANSWERS)
        for sql in TABLES.values():
            steps.run(sql)
        if steps.ask("SELECT to_regclass('pattern_calls')::text") is None:
            steps.short(WEEKLY)
        for table in (*TABLES, "pattern_calls", "signals", "applied"):
            steps.short(f"SELECT llmproxy_protect('{table}')")
        steps.short(BY_EXPERIMENT)
