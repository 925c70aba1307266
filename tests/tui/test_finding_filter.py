import pytest

from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.guard_rows import OPEN, STATUSES
from llmproxy_core.tui.finding_filter import FindingFilterError, parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Queue()),
        ("severity:high", Queue(severities=("high",))),
        ("severity:>=high", Queue(severities=("high", "critical"))),
        ("sev:crit", Queue(severities=("critical",))),
        ("family:secret family:pii", Queue(families=["secret", "pii"])),
        ("family:hidden-text", Queue(families=["hidden_text"])),
        ("status:all", Queue(statuses=STATUSES)),
        ("status:open", Queue(statuses=OPEN)),
        ("status:false-positive", Queue(statuses=("false_positive",))),
        ("ns:payments detector:pii", Queue(namespace="payments", detector="pii")),
        ("aws key", Queue(words=["aws", "key"])),
    ],
)
def test_what_is_typed_says_which_findings(text: str, wanted: Queue) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severity:bad", "severity:bad: it is one of low, medium, high, critical"),
        ("family:x", "family:x: it is one of secret, pii"),
        ("status:gone", "it is one of detected, acknowledged"),
        ("model:opus", "model: is none of severity, family, status, detector, ns"),
    ],
)
def test_what_is_no_filter_says_what_would_be_one(text: str, said: str) -> None:
    with pytest.raises(FindingFilterError, match=said):
        parse(text)
