"""Makes values that a rule is meant for: random strings of its regular expression."""

import random
import re
from re import _parser  # type: ignore[attr-defined]  # the only parser of them there is
from typing import Any

from llmproxy_core.anomaly.secrets.rule import FIRM_SIGN, NO_LETTER_BEFORE, Rule

PRINTABLE = [chr(code) for code in range(33, 127)]
LONG = 40
"""More than this nobody repeats anything that has no upper bound."""


def sample(rule: Rule, rng: random.Random) -> str:
    """A value of the rule, as random as its entropy asks."""
    parsed = _parser.parse(_value(rule).decode(), re.IGNORECASE if rule.any_case else 0)
    return _text(parsed, rng)


def name(rule: Rule, rng: random.Random) -> str:
    """A name by which the rule knows a value; empty where the value has a look of its own."""
    if rule.kind != "assigned":
        return ""
    pattern = rule.pattern.pattern.partition(FIRM_SIGN.encode())[0]
    return _text(_parser.parse(pattern.removeprefix(NO_LETTER_BEFORE.encode()).decode()), rng)


def _value(rule: Rule) -> bytes:
    pattern = rule.pattern.pattern
    start = pattern.index(b"(?P<value>") + len(b"(?P<value>")
    depth, at, in_class = 1, start, False
    while depth:
        char = pattern[at : at + 1]
        if char == b"\\":
            at += 1
        elif in_class:
            in_class = char != b"]"
        elif char == b"[":
            in_class = True
        else:
            depth += (char == b"(") - (char == b")")
        at += 1
    return pattern[start : at - 1]


def _text(items: Any, rng: random.Random) -> str:
    return "".join(_one(str(kind), argument, rng) for kind, argument in items)


def _one(kind: str, argument: Any, rng: random.Random) -> str:
    match kind:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return rng.choice([char for char in PRINTABLE if ord(char) != argument])
        case "ANY":
            return rng.choice(PRINTABLE)
        case "IN":
            return rng.choice(_class(argument))
        case "BRANCH":
            return _text(rng.choice(argument[1]), rng)
        case "SUBPATTERN":
            return _text(argument[3], rng)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, what = argument
            times = rng.randint(least, min(int(most), least + LONG))
            return _repeated(what, times, rng)
        case _:  # looking around and ends have no characters of their own
            return ""


def _repeated(what: Any, times: int, rng: random.Random) -> str:
    """A choice of one case is made once, not for each character."""
    if len(what) == 1 and str(what[0][0]) in ("SUBPATTERN", "BRANCH"):
        inner = what[0][1][3] if str(what[0][0]) == "SUBPATTERN" else what
        if len(inner) == 1 and str(inner[0][0]) == "BRANCH":
            return "".join(_text(inner[0][1][1][0], rng) for _ in range(times))
    return "".join(_text(what, rng) for _ in range(times))


def _class(items: Any) -> list[str]:
    chars: list[str] = []
    negated = False
    for kind, argument in items:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                chars.append(chr(argument))
            case "RANGE":
                chars += map(chr, range(argument[0], argument[1] + 1))
            case "CATEGORY":
                chars += _category(str(argument))
    return [char for char in PRINTABLE if char not in chars] if negated else sorted(set(chars))


def _category(name: str) -> list[str]:
    test = {
        "CATEGORY_DIGIT": str.isdigit,
        "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
        "CATEGORY_SPACE": str.isspace,
    }[name]
    return [char for char in [*PRINTABLE, "\n"] if test(char)]
