"""Records in, rows out: each once, whatever is cut, in what order, and who crashes when."""

import pytest

from llmproxy_core.spool import SpoolWriter
from llmproxy_core.worker.intake import Intake
from tests.worker.ledger import Ledger
from tests.worker.traffic import Call, append


@pytest.fixture
def journal(tmp_path):
    writer = SpoolWriter(tmp_path)
    yield writer
    writer.close()


def store_all(intake: Intake) -> None:
    while intake.collect() or intake.waiting:
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
