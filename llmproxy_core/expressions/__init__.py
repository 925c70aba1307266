"""What a policy applies to, said in a small language: a part of CEL, Google's Common Expression
Language, with the words `and`, `or` and `not` as well. docs/expressions.md describes it.

No `eval`, no loops, no calls into Python: an expression is checked when it is compiled, in full,
and then takes a time that is linear in its own length and in the texts it looks at.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from llmproxy_core.expressions.syntax import Parser
from llmproxy_core.expressions.values import Answer, Facts, Plain, Type, Words
from llmproxy_core.expressions.variables import SAME, VARIABLES

__all__ = ["Expression", "Facts", "Plain", "Type", "Words", "compile"]


@dataclass(frozen=True, slots=True)
class Expression:
    """`variables`: the ones it looks at."""

    text: str
    variables: frozenset[str]
    _answer: Answer

    def holds(self, facts: Facts) -> bool:
        """Raises nothing. What cannot be answered, for want of a fact, does not hold."""
        return self.value(facts) is True

    def value(self, facts: Facts) -> bool | None:
        """As `holds`; None: it cannot be answered."""
        try:
            answer = self._answer(facts)
        except Exception:  # noqa: BLE001 - odd facts (a list of broken objects): not to be answered
            return None
        return answer if isinstance(answer, bool) else None


def compile(
    text: str, variables: Mapping[str, Type] = VARIABLES, same: Mapping[str, str] = SAME
) -> Expression:
    """`variables`: what may stand in it, by name, dots and all; `same`: under which name the fact
    of a variable is told, where that is another. Raises ExpressionError, which names the column and
    what would be right."""
    parser = Parser(text, variables, same)
    whole = parser.whole()
    return Expression(text, frozenset(parser.names), whole.answer)
