"""The rules of `rules.toml`, compiled: what a secret looks like, and what is near every such one.

A `trigger` is found first, fast, in all of a text; `pattern` then looks around it. Both work on
UTF-8 bytes. `pattern` is linear: it has no repetition inside another that could split a text in
several ways, but where the inner one is bounded.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MACROS = {
    "%h": "[a-fA-F0-9]",
    "%a": "(?:[a-z0-9]|[A-Z0-9])",
    "%A": "[A-Za-z0-9]",
    "%w": "[A-Za-z0-9_-]",
    "%b": "[A-Za-z0-9+/]",
    "%e": "[A-Za-z0-9_=-]",
    "%u": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "%%": "%",
}
_MACRO = re.compile("|".join(map(re.escape, MACROS)))
_OPEN_END = re.compile(r"\{(\d+),\d*\}(?:=\{\d,\d\})?$")

SIGN = r"[ \t\w.-]{0,20}['\"\s\\\])]{0,5}(?:\|\||[:=?>,]{1,3})[\x60'\"\s=\\(]{0,6}"
"""What stands between a name and its value, as gitleaks has it."""
FIRM_SIGN = re.sub(r"(\{\d,\d+\})", r"\1+", SIGN)
"""The same, without going back: its parts share no characters."""
BOUNDARY_BEFORE = r"(?<![A-Za-z0-9])"
NO_LETTER_BEFORE = r"(?-i:(?<![a-z]))"
BOUNDARY_AFTER = r"(?![A-Za-z0-9])"
VALUE_ENDS = r"(?=[\x60'\"\s;,)\]}<&\\]|$)"
SOME_VALUE = r"[^\s\x60'\"]{14}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`words`: lower case; a text without any of them has no such secret. `before`, `after`: bytes
    around the end of the trigger, or around a word, in which all of the secret and its surroundings
    are. The rest is said in `rules.toml`."""

    id: str
    what: str
    pattern: re.Pattern[bytes]
    trigger: bytes
    any_case: bool
    words: tuple[bytes, ...]
    entropy: float = 0.0
    strange: bool = False
    repeats: bool = False
    anything: bool = False
    base64: str = ""
    before: int = 512
    after: int = 1536
    kind: str = "token"


LONG = {"jwt": (4096, 16384), "jwt-base64": (64, 16384), "private-key": (128, 16384)}
LONG |= {"putty-private-key": (64, 16384), "kubernetes-secret-yaml": (64, 8192)}
LONG |= {"bearer": (128, 4608), "signed-url": (128, 4096), "sentry-org-token": (512, 1024)}


@cache
def rules() -> tuple[Rule, ...]:
    """All rules; the order is that of the file, and a finding of an earlier one goes before."""
    text = files("llmproxy_core.anomaly.secrets").joinpath("rules.toml").read_text("utf-8")
    data = tomllib.loads(text)
    found = [_token(row) for row in data["tokens"]]
    found += [_assigned(row) for row in data["assigned"]]
    found += [_placed(row) for row in data["placed"]]
    return tuple(found)


def _token(row: dict[str, Any]) -> Rule:
    value = _expanded(row["value"])
    flags = re.IGNORECASE if row.get("any_case") else 0
    pattern = f"{BOUNDARY_BEFORE}(?P<value>{value}){BOUNDARY_AFTER}"
    before, after = LONG.get(row["id"], (512, 1536))
    return Rule(
        id=row["id"],
        what=row["what"],
        pattern=re.compile(pattern.encode(), flags),
        trigger=_expanded(row["trigger"]).encode() if "trigger" in row else _shortest(value),
        any_case=bool(flags),
        words=tuple(word.encode() for word in row["words"]),
        entropy=row.get("entropy", 0.0),
        before=before,
        after=after,
    )


def _assigned(row: dict[str, Any]) -> Rule:
    value = _expanded(row["value"])
    if row.get("exact"):
        value = f"(?-i:{value})"
    pattern = f"{NO_LETTER_BEFORE}(?:{row['names']}){FIRM_SIGN}(?P<value>{value}){VALUE_ENDS}"
    return Rule(
        id=row["id"],
        what=row["what"],
        pattern=re.compile(pattern.encode(), re.IGNORECASE),
        trigger=f"(?:{row['names']}){SIGN}{SOME_VALUE}".encode(),
        any_case=True,
        words=_literals(row["names"]),
        entropy=row.get("entropy", 2.0),
        repeats=row.get("repeats", False),
        before=256,
        after=2304,
        kind="assigned",
    )


def _placed(row: dict[str, Any]) -> Rule:
    before, after = LONG.get(row["id"], (512, 1536))
    return Rule(
        id=row["id"],
        what=row["what"],
        pattern=re.compile(_expanded(row["place"]).encode(), re.IGNORECASE),
        trigger=_expanded(row["trigger"]).encode(),
        any_case=True,
        words=tuple(word.encode() for word in row["words"]),
        entropy=row.get("entropy", 0.0),
        strange=row.get("strange", False),
        anything=row.get("anything", False),
        base64=row.get("base64", ""),
        before=before,
        after=after,
        kind="placed",
    )


def _expanded(pattern: str) -> str:
    return _MACRO.sub(lambda found: MACROS[found[0]], pattern)


def _shortest(value: str) -> bytes:
    """The least of a value that is one: found once, not once for each further character."""
    return _OPEN_END.sub(r"{\1}", value).encode()


def _literals(names: str) -> tuple[bytes, ...]:
    """A part of each alternative that is plain letters: what a lower-case text must have."""
    parts = [max(re.findall(r"[a-z]{2,}(?!\?)", name), key=len) for name in names.split("|")]
    return tuple(sorted({part.encode() for part in parts}))
