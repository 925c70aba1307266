import contextlib
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from llmproxy_core.store import reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.database import Database
from llmproxy_core.store.filters import FLAGS, KEYS, STATES, FilterError, parse
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_call, a_request, a_response, new_id

WORDS = ["", "a", "Opus", "opus-4.1", "ÄÖ ä", "a b", "x\0y", "\ud800", "%", "_", "İi̇", "\\", "'"]
NUMBERS = [0, 1, 2, 10, 399, 400, 1000, 10_000]
NUMERIC = ["status", "cost", "tokens", "in", "out", "ms", "ttft"]

words = st.sampled_from(WORDS)
numbers = st.sampled_from(NUMBERS)
maybe = st.none() | numbers
costs = st.none() | st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.10000000000000001")])
millis = st.none() | st.sampled_from([0.0, 0.1, 1.0, 2000.5])


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    request = a_request(
        ns_id=draw(st.sampled_from([1, 2])),
        session_id=new_id(),
        client=draw(words),
        user_agent=draw(st.none() | words),
        provider="openai",
        path="/" + draw(words),
        model=draw(st.none() | words),
        preview=draw(words),
        stream=draw(st.booleans()),
        hash_in=draw(st.sampled_from([b"a" * 16, b"b" * 16])),
        hash_out=b"a" * 16,
        namespace_prefix=draw(st.none() | words),
        shortened=draw(st.none() | st.dictionaries(words, words, max_size=2)),
    )
    if draw(st.booleans()):
        return Batch(requests=[request])
    response = a_response(
        request,
        state=draw(st.sampled_from(STATES[1:])),
        status=draw(maybe),
        model=draw(st.none() | words),
        text=draw(words),
        input_tokens=draw(maybe),
        output_tokens=draw(maybe),
        cost_usd=draw(costs),
        duration_ms=draw(millis),
        first_token_ms=draw(millis),
        error=draw(st.none() | words),
        upload_hash_in=draw(st.sampled_from([None, b"a" * 16, b"b" * 16])),
        upload_hash_out=b"a" * 16,
    )
    calls = [a_call(request, number, name=draw(words)) for number in range(draw(st.integers(0, 2)))]
    part = Contribution(request.ns_id, request.id, AT, "", "", "", request.model, response.model)
    return Batch([request], [response], calls, rollups=[part])


@st.composite
def terms(draw: st.DrawFn) -> str:
    key = draw(st.sampled_from([None, *KEYS]))
    word = draw(words.filter(bool))
    if key in NUMERIC:
        value = draw(st.sampled_from(["", "=", ">", ">=", "<", "<="]))
        value += draw(
            st.sampled_from(
                ["0", "0.1", "1", "2", ".5", "400", "1k", "2000.5", "0.01k", "99999999999"]
            )
        )
    elif key in ("session", "id"):
        value = draw(st.text("0123456789abcdefABCDEF", min_size=1, max_size=3))
    elif key == "state":
        value = draw(st.sampled_from(STATES))
    elif key == "is":
        value = draw(st.sampled_from(list(FLAGS)))
    else:
        value = f'"{word}"'
    return draw(st.sampled_from(["", "-"])) + (f"{key}:" if key else "") + value


@given(st.lists(batches(), max_size=8), st.lists(terms(), min_size=1, max_size=3).map(" ".join))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_predicate_agree(database: Database, flows: list[Batch], line: str) -> None:
    writer = Writer(database)
    writer.namespace("Other")
    for batch in flows:
        writer.write(batch)
    writer.close()
    wanted = parse(line)
    with database.connect() as connection:
        everything = reads.flows(connection)
        found = reads.flows(connection, where=wanted)
        connection.execute(text("TRUNCATE requests, responses, tool_calls"))
        connection.commit()
    assert len(everything) == len(flows)
    assert [flow.id for flow in found] == [flow.id for flow in everything if wanted.matches(flow)]


@pytest.fixture
def flow(database: Database) -> Flow:
    request = a_request(preview="Please fix the test", client="10.0.0.7:1", model="claude-opus-4-1")
    response = a_response(
        request, model="claude-opus-4-1-20250805", text="Done. It works", status=200,
        input_tokens=9_000, output_tokens=1_001, cost_usd=Decimal("0.25"), first_token_ms=350.0,
    )  # fmt: skip
    writer = Writer(database)
    writer.write(Batch([request], [response], [a_call(request, name="Bash")]))
    writer.close()
    with database.connect() as connection:
        return reads.flows(connection)[0]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "model:opus",
        "MODEL:Opus-4",
        'fix "the test"',
        '"IT works"',
        "-nothing status:200",
        "tokens:>10k tokens:<=10001",
        "cost:>0.1 cost:<.3",
        "ms:812.5 ttft:<400",
        "client:10.0.0.7 provider:openai ns:default",
        "tool:bash is:tool -is:error -is:changed -is:stream",
        "state:complete in:9000 out:>1k",
        "wire:openai.chat host:api.openai path:/v1",
    ],
)
def test_a_line_finds_the_flow(flow: Flow, line: str) -> None:
    assert parse(line).matches(flow)


@pytest.mark.parametrize(
    "line", ["model:sonnet", "-model:opus", "status:>=400", "tokens:>1m", "is:error", "state:open"]
)
def test_a_line_leaves_the_flow_out(flow: Flow, line: str) -> None:
    assert not parse(line).matches(flow)


def test_the_id_of_a_session_is_found_by_a_part_of_it(flow: Flow) -> None:
    assert parse(f"session:{flow.session_id}").matches(flow)
    assert parse(f"session:{flow.session_id.hex[:9].upper()}").matches(flow)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("model:opus colour:red", "colour:red: there is no colour: - known are model,"),
        ("status:teapot", "status:teapot: write a number"),
        ("cost:>1e9", "cost:>1e9: write a number"),
        ("state:asleep", "the states are open, complete, partial, failed"),
        ("is:nice", "known are is:stream"),
        ("session:xyz", "write a part of the id"),
        ("model:", "model:: say what to look for, e.g. model:opus"),
        ("status:", "e.g. status:>=400"),
        ('"open', '"open: close the quotes'),
        ('model:"open', 'model:"open: close the quotes'),
        ('"a"b', "close the quotes"),
        ("-", "-: say what to look for"),
    ],
)
def test_a_wrong_term_is_named(line: str, message: str) -> None:
    with pytest.raises(FilterError) as told:
        parse(line)
    assert message in str(told.value)


@given(st.text())
def test_any_line_is_read_or_refused(line: str) -> None:
    with contextlib.suppress(FilterError):
        parse(line).sql()
