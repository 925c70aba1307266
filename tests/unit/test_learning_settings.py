"""`[learning]` names the signals that there are."""

from typing import get_args

from llmproxy_core.sections.learning import LearningConfig, SignalName
from llmproxy_core.success.registry import COUNTED, SIGNALS


def test_every_signal_may_count():
    assert set(get_args(SignalName.__value__)) == set(SIGNALS)


def test_what_counts_unless_something_is_said_is_what_the_signals_say():
    assert set(LearningConfig().counting) == COUNTED
