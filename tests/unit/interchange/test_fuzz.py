"""Whatever is in a file, it is read or said to be bad, and what is read can be stored."""

import json
from contextlib import suppress

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.incoming import har, jsonl, times
from llmproxy_core.interchange.incoming.exchange import Exchanges
from llmproxy_core.interchange.incoming.kinds import kind_of
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import Source
from llmproxy_core.records import decode, encode
from tests.unit.interchange.recorded import entry, line
from tests.unit.interchange.test_exchange import exchanges, recording

SLOW = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3)


class Bytes:
    """A stream of a file that is in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read1(self, size: int, /) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def source(data: bytes) -> Source:
    return Source("file", Bytes(data), 1_700_000_000 * 10**9)


def stored(found: Recording | Skipped, into: Exchanges) -> None:
    if isinstance(found, Recording):
        made = into.record(found)
        if not isinstance(made, Skipped):
            assert decode(encode(made[0])) == made[0]


@SLOW
@example({"started_at": "2026-01-01T00:00:00Z", "duration_ms": 1e308})
@example({"started_at": "2026-01-01T00:00:00Z", "first_byte_ms": 1e300})
@example({"request_body_bytes": 2**80})
@given(st.dictionaries(st.sampled_from([*line(), "messages", "api", "started_at"]), JSON))
def test_any_line_is_read_or_said_to_be_bad(changes):
    data = json.dumps(line() | changes).encode()

    found = list(jsonl.recordings(source(data)))

    assert found
    for one in found:
        stored(one, exchanges())


@SLOW
@example({"startedDateTime": "2026-01-01T00:00:00Z", "time": 1e308})
@example({"startedDateTime": "2026-01-01T00:00:00Z", "timings": {"wait": 1e300}})
@example({"_webSocketMessages": [{"data": "", "time": 1e308}]})
@given(st.dictionaries(st.sampled_from([*entry(), "_webSocketMessages", "_id"]), JSON))
def test_any_entry_is_read_or_said_to_be_bad(changes):
    data = json.dumps({"log": {"entries": [entry() | changes]}}).encode()

    found = list(har.recordings(source(data)))

    assert len(found) == 1
    stored(found[0], exchanges())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_said_to_be_bad(data):
    for reader in (jsonl.recordings, har.recordings):
        with suppress(InterchangeError):
            list(reader(source(data)))
    with suppress(InterchangeError):
        kind_of(source(data))


@given(TEXT, PAIRS, TEXT, TEXT, st.binary(max_size=20), st.integers(0, 999))
def test_any_recording_of_a_known_format_can_be_stored(url, headers, method, id, body, status):
    found = recording(
        url=url,
        wire="openai.chat",
        request_headers=headers,
        response_headers=headers,
        method=method,
        external_id=id,
        response_body=body,
        status=status,
    )

    stored(found, exchanges())


@given(st.text(max_size=40))
def test_any_time_is_a_number(text):
    assert times.iso(text) >= -(10**20)
    assert times.told(recording(response_headers=[("date", text)]), 10**19) >= 0
