"""Records in, rows out: each once, whatever is cut, in what order, and who crashes when."""

import msgspec
import pytest

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.spool import SpoolWriter, readers, segments
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.sessions import GAP
from tests.worker.ledger import Ledger
from tests.worker.traffic import SECOND, Call, append, chat_stream


@pytest.fixture
def journal(tmp_path):
    writer = SpoolWriter(tmp_path)
    yield writer
    writer.close()


def store_all(intake: Intake) -> None:
    while intake.collect() or intake.waiting or intake.due:
        intake.commit()


def test_a_call_becomes_a_request_an_answer_and_a_session(tmp_path, journal):
    append(journal, Call(1).records())
    ledger = Ledger()
    store_all(Intake(tmp_path, ledger))
    (request,), (response,) = ledger.requests.values(), ledger.responses.values()
    assert (request.model, request.preview) == ("gpt-4o-mini", "question 1")
    assert (response.state, response.text, response.input_tokens) == ("complete", "answer 1", 12)
    (session,) = ledger.sessions.values()
    assert (session["requests"], session["responses"], session["output_tokens"]) == (1, 1, 3)
    assert session["title"] == "question 1"


def test_the_text_of_an_open_stream_can_be_seen_and_goes_with_its_end(tmp_path, journal):
    call = Call(1, pieces=chat_stream("Hello", " world"))
    append(journal, call.records()[:4])
    ledger = Ledger()
    intake = Intake(tmp_path, ledger)
    store_all(intake)
    assert "".join(row.text for _, row in sorted(ledger.deltas.items())) == "Hello world"
    append(journal, call.records()[4:])
    store_all(intake)
    assert ledger.deltas == {}
    (response,) = ledger.responses.values()
    assert (response.text, response.first_token_ms) == ("Hello world", 150.0)


def test_an_open_stream_is_written_down_only_when_somebody_watches(tmp_path, journal):
    call = Call(1, pieces=chat_stream("Hello", " world", "!"))
    append(journal, call.records()[:4])
    ledger = Ledger()
    ledger.is_watched = False
    intake = Intake(tmp_path, ledger)
    store_all(intake)
    assert ledger.deltas == {}
    ledger.is_watched = True
    store_all(intake)
    assert "".join(row.text for _, row in sorted(ledger.deltas.items())) == "Hello world"
    append(journal, call.records()[4:5])
    store_all(intake)
    assert "".join(row.text for _, row in sorted(ledger.deltas.items())) == "Hello world!"


def test_a_journal_that_went_just_before_a_crash_is_forgotten_after_it(tmp_path):
    journal = SpoolWriter(tmp_path)
    append(journal, Call(1).records())
    journal.close()
    ledger = Ledger()
    crashed = Intake(tmp_path, ledger)
    crashed.collect()
    crashed.commit()
    assert (readers(tmp_path), list(ledger.stored)) == ([], [journal.id])

    store_all(Intake(tmp_path, ledger))

    assert ledger.stored == {}
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_proxy_that_died_leaves_a_partial_answer(tmp_path):
    journal = SpoolWriter(tmp_path)
    append(journal, Call(1, pieces=chat_stream("Hello", " world")).records()[:4])
    append(journal, Call(2).records()[:1])
    ledger = Ledger()
    intake = Intake(tmp_path, ledger)
    store_all(intake)
    assert ledger.responses == {}
    journal.close()
    store_all(intake)
    cut, unanswered = sorted(ledger.responses.values(), key=lambda row: row.ended_at, reverse=True)
    assert (cut.state, cut.error_type, cut.text) == ("partial", "killed", "Hello world")
    assert (unanswered.state, unanswered.error) == (
        "failed",
        "the proxy was stopped before an answer",
    )
    assert readers(tmp_path) == []
    assert ledger.stored == {}


def test_an_answer_whose_request_was_lost_is_told_as_an_event(tmp_path, journal):
    append(journal, Call(1).records()[1:])
    append(journal, Call(2, pieces=chat_stream("a")).records()[1:])
    ledger = Ledger()
    store_all(Intake(tmp_path, ledger))
    assert [row.kind for row in ledger.events.values()] == ["answer_without_request"] * 2
    assert ledger.responses == {}


def test_segments_go_when_nothing_in_them_is_needed(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=2000)
    open_call = Call(0)
    append(journal, open_call.records()[:1])
    for number in range(1, 10):
        append(journal, Call(number).records())
    intake = Intake(tmp_path, Ledger())
    store_all(intake)
    assert segments(journal.folder)[0] == 1  # the open call is in it
    append(journal, open_call.records()[1:])
    store_all(intake)
    assert len(segments(journal.folder)) == 1
    journal.close()


def test_a_broken_journal_does_not_hold_up_the_others(tmp_path, journal, caplog):
    bad = tmp_path / ("0" * 32)
    bad.mkdir()
    (bad / "00000001.seg").write_bytes(b"not a segment at all")
    append(journal, Call(1).records())
    ledger = Ledger()
    intake = Intake(tmp_path, ledger)
    store_all(intake)
    assert len(ledger.responses) == 1
    assert "not a spool segment" in caplog.text
    assert (bad / "00000001.seg").exists()


def test_no_more_than_a_batch_is_read_ahead_of_the_database(tmp_path, journal):
    for number in range(20):
        append(journal, Call(number).records())
    ledger = Ledger()
    ledger.faults = ["before"] * 3
    intake = Intake(tmp_path, ledger, max_records=4)
    for _ in range(3):
        assert intake.collect() in (0, 4)
        with pytest.raises(DatabaseUnavailable):
            intake.commit()
    store_all(intake)
    assert len(ledger.responses) == 20


def test_two_proxies_get_their_turns(tmp_path, journal):
    other = SpoolWriter(tmp_path)
    for number in range(10):
        append(journal, Call(number).records())
        append(other, Call(100 + number).records())
    ledger = Ledger()
    intake = Intake(tmp_path, ledger, max_records=6)
    for _ in range(2):
        intake.collect()
        intake.commit()
    assert len({number // 100 for number in map(_number, ledger.requests.values())}) == 2
    other.close()


def _number(request) -> int:
    return int(request.preview.split()[1])


def test_a_long_answer_keeps_its_session_going_across_a_crash(tmp_path, journal):
    ledger = Ledger()
    first = Call(1, wire="openai.embeddings")
    opened, (closed, body) = first.records()
    append(journal, [opened])
    store_all(Intake(tmp_path, ledger))
    late = msgspec.structs.replace(closed, at=first.at + 5 * GAP)
    second = Call(2, first.at + 5 * GAP + SECOND, wire="openai.embeddings")
    append(journal, [(late, body), *second.records()])
    store_all(Intake(tmp_path, ledger))
    assert [session["requests"] for session in ledger.sessions.values()] == [2]


def test_a_call_that_stays_open_does_not_keep_all_that_came_after_it(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=20_000)
    ledger = Ledger()
    intake = Intake(tmp_path, ledger)
    lasting = Call(0, pieces=chat_stream("a", "b", "c"))
    first, *rest = lasting.records()
    append(journal, [first])
    for number in range(1, 400):
        if number % 100 == 0:
            append(journal, [rest.pop(0)])
        append(journal, Call(number).records())
        if number % 50 == 0:
            store_all(intake)
    store_all(intake)
    assert sum(file.stat().st_size for file in journal.folder.glob("*.seg")) < 25_000
    append(journal, rest)
    store_all(Intake(tmp_path, ledger))
    assert len(ledger.responses) == 400
    assert "abc" in [row.text for row in ledger.responses.values()]
    assert len(segments(journal.folder)) <= 2
    journal.close()
