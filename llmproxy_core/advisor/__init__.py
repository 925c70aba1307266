"""Claude through OpenRouter: opt-in, within a budget, and never with secrets."""

from llmproxy_core.advisor.advisor import Advisor
from llmproxy_core.advisor.answers import AnswerFiles, Answers

__all__ = ["Advisor", "AnswerFiles", "Answers"]
