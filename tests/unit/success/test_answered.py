"""Which calls were answered, and of those that were not, which say something of what was asked."""

import pytest

from llmproxy_core.success.answered import answered, unavailable
from tests.unit.success.exchanges import call, chat, completion

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def failed(status: int, kind: str = "invalid_request_error", code: str = ""):
    error = {"error": {"type": kind, "message": "no", "code": code}}
    return call("openai.chat", ASKED, error, status=status)


def test_an_answer_that_came_to_its_end_is_good():
    signal = answered(chat("Hi"))
    assert signal is not None
    assert (signal.verdict, signal.source, signal.why) == ("good", "wire", "HTTP 200")


@pytest.mark.parametrize("status", [400, 404, 413, 422, 500])
def test_errors_that_may_come_of_what_was_asked_count_against_it(status):
    signal = answered(failed(status))
    assert signal is not None
    assert signal.verdict == "bad"
    assert signal.why == f"HTTP {status} invalid_request_error: no"


@pytest.mark.parametrize("status", [401, 403, 429, 502, 503, 529])
def test_errors_of_accounts_and_load_are_told_apart(status):
    one = failed(status)
    assert answered(one) is None
    away = unavailable(one)
    assert away is not None
    assert away.verdict == "bad"


def test_an_overload_within_an_answer_is_load_too():
    error = {"error": {"type": "overloaded_error", "message": "busy"}}
    one = call("openai.chat", ASKED, error)
    assert answered(one) is None
    assert unavailable(one) is not None


def test_a_filter_is_no_http_error():
    assert answered(failed(400, code="content_filter")) is None


def test_an_answer_that_the_client_broke_off_is_not_judged():
    assert answered(chat("Hi", ending="client_closed", finish=None)) is None
    assert answered(call("openai.chat", ASKED, status=0, ending="client_closed")) is None


def test_a_client_may_hang_up_once_it_has_the_finish_reason():
    signal = answered(chat("Hi", ending="client_closed"))
    assert signal is not None
    assert signal.verdict == "good"


def test_an_answer_that_the_provider_broke_off_is_bad():
    signal = answered(chat("Hi", ending="server_closed", finish=None))
    assert signal is not None
    assert signal.why == "the answer broke off (server_closed)"


def test_a_call_without_any_answer_is_bad():
    signal = answered(call("openai.chat", ASKED, status=0, ending="error"))
    assert signal is not None
    assert signal.verdict == "bad"


def test_an_answer_cut_by_its_limit_was_answered():
    one = call("openai.chat", ASKED, completion("Onc", "length"))
    signal = answered(one)
    assert signal is not None
    assert signal.verdict == "good"
