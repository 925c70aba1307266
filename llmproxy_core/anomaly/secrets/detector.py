"""Finds secrets in a text: triggers first, then the exact value, then whether it is a real one."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from llmproxy_core.anomaly.finding import Finding, Severity, Text
from llmproxy_core.anomaly.secrets.assignments import GENERIC, PASSWORD, TYPE, is_secret
from llmproxy_core.anomaly.secrets.engine import Engine, engine
from llmproxy_core.anomaly.secrets.lookalikes import (
    entropy,
    in_blob,
    is_login,
    is_placeholder,
    is_reference,
    looks_like_words,
)
from llmproxy_core.anomaly.secrets.rule import Rule, rules

SHORTEST = 8
"""Characters of a text that can have a secret in it."""
SURE = {"token": 0.95, "assigned": 0.9, "placed": 0.85, "generic": 0.7, "password": 0.7}
KEY_EDGES = re.compile(rb"-----[ A-Z0-9_-]{1,120}-----")
PART = 2**15
"""Bytes that are searched at once."""
LEAST_KEY = 40
"""Characters between the edges of a private key that make it one."""
MILD = frozenset({"password-hash", "htpasswd", "mysql-hash", "wordpress-salt"})
"""Of these nobody can make use at once."""


class Secret(NamedTuple):
    """The bytes `start:end` of a text in UTF-8."""

    start: int
    end: int
    rule: Rule


class Secrets:
    """`places`: see Engine; by default the fastest there is, made at the first text."""

    name = "secrets"

    def __init__(self, places: Engine | None = None) -> None:
        self._engine = places

    def find(self, text: Text) -> list[Finding]:
        if len(text.text) < SHORTEST:
            return []
        data = text.text.encode("utf-8", "surrogatepass")
        found = self.secrets(data)
        if not found:
            return []
        place = _characters(data, found) if len(data) != len(text.text) else None
        return [_finding(secret, place) for secret in found]

    def secrets(self, data: bytes) -> list[Secret]:
        """The secrets in a text, in order; none overlaps another."""
        if self._engine is None:
            self._engine = engine(all_rules())
        candidates: list[Secret] = []
        known = all_rules()
        for number, positions in sorted(self._engine.places(data).items()):
            candidates += _matches(known[number], data, positions)
        return _apart(candidates)


@cache
def all_rules() -> tuple[Rule, ...]:
    """In the order in which they are believed."""
    return (*rules(), GENERIC, PASSWORD)


def _matches(rule: Rule, data: bytes, positions: list[int]) -> Iterator[Secret]:
    """What a rule matches around these places."""
    for start, end in _windows(rule, positions, len(data)):
        for found in rule.pattern.finditer(data, start, end):
            if _is_real(rule, found, data):
                yield Secret(*_span(rule, found, data), rule)


def _windows(rule: Rule, positions: list[int], size: int) -> Iterator[tuple[int, int]]:
    """What is to be looked at; hardly a byte of it twice. Of a long one each part alone, as other
    threads wait while one is searched."""
    start, end = 0, -1
    for at in positions:
        if at - rule.before > end or at - start > PART:
            if end >= 0:
                yield start, min(end, size)
            start = max(0, at - rule.before)
        end = at + rule.after
    if end >= 0:
        yield start, min(end, size)


def _is_real(rule: Rule, found: re.Match[bytes], data: bytes) -> bool:
    if rule.kind in ("generic", "password"):
        return is_secret(rule, found, data)
    value = found["value"]
    if rule.base64 == "login":
        return is_login(value)
    if rule.id == "private-key":
        return len(KEY_EDGES.sub(b"", value)) > LEAST_KEY
    if rule.kind == "placed" and not rule.anything and _is_code(value):
        return False
    if rule.strange and _is_weak(value):
        return False
    if rule.kind == "token" and _is_name(value):
        return False
    if not rule.repeats and is_placeholder(value):
        return False
    if rule.entropy and entropy(value) < rule.entropy:
        return False
    return rule.kind != "token" or not in_blob(data, *found.span("value"))


def _is_code(value: bytes) -> bool:
    return is_reference(value) or bool(TYPE.match(value))


def _is_weak(value: bytes) -> bool:
    return not any(char in b"0123456789!@#$%^&*" for char in value)


def _is_name(value: bytes) -> bool:
    return not any(char in b"0123456789" for char in value) and looks_like_words(value)


def _span(rule: Rule, found: re.Match[bytes], data: bytes) -> tuple[int, int]:
    start, end = found.span("value")
    if rule.kind == "password" and data[start - 1 : start] not in (b'"', b"'", b"`"):
        end -= len(found["value"]) - len(found["value"].rstrip(b".,:)}]&|"))
    return start, end


def _apart(candidates: list[Secret]) -> list[Secret]:
    """Where several overlap: one over all of them, named by the rule that is believed first."""
    if len(candidates) < 2:
        return candidates
    order = {rule.id: at for at, rule in enumerate(all_rules())}
    apart: list[Secret] = []
    for one in sorted(candidates, key=lambda secret: secret.start):
        if apart and one.start < apart[-1].end:
            last = apart.pop()
            best = min(last.rule, one.rule, key=lambda rule: order[rule.id])
            apart.append(Secret(last.start, max(last.end, one.end), best))
        else:
            apart.append(one)
    return apart


def _characters(data: bytes, found: list[Secret]) -> dict[int, int]:
    """Which character begins at each of the bytes where a secret starts or ends."""
    place: dict[int, int] = {}
    at = count = 0
    for edge in sorted({edge for secret in found for edge in (secret.start, secret.end)}):
        count += len(data[at:edge].decode("utf-8", "surrogatepass"))
        at = edge
        place[edge] = count
    return place


def _finding(secret: Secret, place: dict[int, int] | None) -> Finding:
    rule = secret.rule
    severity: Severity = "medium" if rule.id in MILD else "high"
    if rule.id == "private-key":
        severity = "critical"
    return Finding(
        detector=f"secrets.{rule.id}",
        family="secret",
        score=SURE[rule.kind],
        severity=severity,
        start=place[secret.start] if place else secret.start,
        end=place[secret.end] if place else secret.end,
        said=f"This looks like {rule.what}.",
    )
