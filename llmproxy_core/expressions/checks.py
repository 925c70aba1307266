"""What fits together in an expression, said before it is ever used."""

from collections.abc import Sequence
from typing import Any

from llmproxy_core.errors import ExpressionError
from llmproxy_core.expressions import methods, operators
from llmproxy_core.expressions.tokens import Token, wrong
from llmproxy_core.expressions.values import Operand, Words


def all_bool(text: str, parts: Sequence[Operand], sign: str) -> None:
    for part in parts:
        if part.kind != "bool":
            raise wrong(text, part.start, f"{sign} joins what is true or false, not a {part.kind}")


def all_numbers(text: str, parts: Sequence[Operand], sign: str) -> None:
    for part in parts:
        if part.kind != "number":
            raise wrong(text, part.start, f"{sign} calculates with numbers, not with a {part.kind}")


def related(text: str, left: Operand, sign: Token, right: Operand) -> Operand:
    """A comparison of two values. Raises ExpressionError."""
    _words_known(text, left, right)
    if sign.said == "in":
        return _among(text, left, sign, right)
    if sign.said in ("==", "!="):
        if left.kind != right.kind and "null" not in (left.kind, right.kind):
            said = f"a {left.kind} is never equal to a {right.kind}"
            raise wrong(text, sign.start, said)
        do = operators.equal if sign.said == "==" else operators.unequal
        return Operand("bool", do(left.answer, right.answer), left.start)
    return _ordered(text, left, sign, right)


def called(text: str, owner: Operand, method: Token, given: Operand | None) -> Operand:
    """A method of a text, or `size`. Raises ExpressionError."""
    name = method.said
    if name in ("lowerAscii", "size"):
        if given is not None:
            raise wrong(text, given.start, f"{name}() takes nothing")
        if owner.kind != "text" and (owner.kind, name) != ("list", "size"):
            raise wrong(text, method.start, f"a {owner.kind} has no {name}()")
        if name == "size":
            return Operand("number", methods.sized(owner.answer), owner.start)
        return Operand("text", methods.lowered(owner.answer), owner.start)
    if owner.kind != "text":
        raise wrong(text, method.start, f"a {owner.kind} has no {name}()")
    if given is None or given.kind != "text":
        raise wrong(text, method.start, f"{name}() wants a text in the brackets")
    if name == "matches":
        return _matched(text, owner, given)
    answer = operators.both(owner.answer, given.answer, methods.TESTS[name])
    return Operand("bool", answer, owner.start)


def _words_known(text: str, left: Operand, right: Operand) -> None:
    """A word that a variable never is, is a slip of the pen: said at once."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one.type, Words) and other.constant and other.kind in ("text", "list"):
            value = other.answer({})
            for word in (value,) if isinstance(value, str) else value:
                if word not in one.type.words:
                    known = ", ".join(one.type.words)
                    raise wrong(text, other.start, f"it is never {word!r}, but one of {known}")


def _among(text: str, left: Operand, sign: Token, right: Operand) -> Operand:
    if right.kind != "list" or left.kind != "text":
        said = f"'in' wants a text before it and a list after it, not {left.kind} and {right.kind}"
        raise wrong(text, sign.start, said)
    return Operand("bool", operators.among(left.answer, right.answer), left.start)


def _ordered(text: str, left: Operand, sign: Token, right: Operand) -> Operand:
    one, other = left.answer, right.answer
    words = next((s.type for s in (left, right) if isinstance(s.type, Words)), None)
    if words is not None and words.ordered and {left.kind, right.kind} == {"text"}:
        one, other = operators.ranked(words.words, one), operators.ranked(words.words, other)
    elif (left.kind, right.kind) != ("number", "number"):
        said = f"{sign.said} compares numbers, not a {left.kind} and a {right.kind}"
        raise wrong(text, sign.start, said)
    return Operand("bool", operators.both(one, other, operators.ORDER[sign.said]), left.start)


def _matched(text: str, owner: Operand, given: Operand) -> Operand:
    if not given.constant:
        raise wrong(text, given.start, "matches() wants its pattern in quotes")
    try:
        test = methods.pattern(given.answer({}))
    except ExpressionError as error:
        raise wrong(text, given.start, str(error)) from None
    answer = owner.answer

    def matched(facts: Any) -> bool | None:
        value = answer(facts)
        return None if value is None else test(value)

    return Operand("bool", matched, owner.start)
