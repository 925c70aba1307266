"""Files of calls of which no text is to be kept."""

import pytest

from llmproxy_core.credentials import Scrubber
from llmproxy_core.interchange.incoming.exchange import Exchanges
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.withholding.capture import Mode
from tests.unit.interchange.recorded import ANSWER, CHAT, QUESTION


def made(mode: Mode, **changes: object) -> object:
    into = Exchanges(Scrubber(b"k" * 32), Recogniser(), "default", 1, None, lambda _: mode)
    told: dict[str, object] = {
        "place": "line 1",
        "url": f"{CHAT}?q=Why",
        "request_headers": [("x-title", "Why?"), ("host", "api.openai.com")],
        "request_body": QUESTION,
        "response_headers": [("content-type", "application/json")],
        "response_body": ANSWER,
        "status": 200,
        "reason": "Because",
    }
    return into.record(Recording(**(told | changes)))  # type: ignore[arg-type]


def test_what_is_off_is_skipped() -> None:
    found = made("off")
    assert isinstance(found, Skipped)
    assert not found.damaged


@pytest.mark.parametrize("changes", [{}, {"response_body": None}, {"request_bytes": 9_000}])
def test_no_word_of_it_is_stored(changes: dict[str, object]) -> None:
    found = made("metadata", **changes)
    assert isinstance(found, tuple)
    record, bodies = found
    opened, closed = record.opened, record.closed
    told = repr((record, bodies))
    assert "Why" not in told
    assert "Because" not in told
    assert opened.body_kept == closed.body_kept == "skeleton"
    assert (opened.kept_bytes, closed.kept_bytes) == tuple(map(len, bodies))
    assert record.request_bytes == len(bodies[0])
    if not changes:
        assert (opened.body_bytes, closed.body_bytes) == (len(QUESTION), len(ANSWER))
        assert b'"total_tokens":7' in bodies[1]


def test_all_else_is_kept_whole() -> None:
    found = made("full")
    assert isinstance(found, tuple)
    assert found[1] == [QUESTION, ANSWER]
