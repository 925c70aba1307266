"""What a policy would have done with the calls that are stored."""

from llmproxy_core.trial.replay import Example, Trial
from llmproxy_core.trial.run import run
from llmproxy_core.trial.words import lines

__all__ = ["Example", "Trial", "lines", "run"]
