"""Whose call it is: the namespaces, tried in order; `default` takes what is left."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from llmproxy_core.namespace.caller import Caller
from llmproxy_core.namespace.matchers import Facts, Matcher, MatchSettings, Reader, matchers, users
from llmproxy_core.sections.namespaces import DEFAULT

type Tests = list[tuple[str, Callable[[Any], bool]]]
"""Facts, and of each a test that one of its values must pass."""
type OnTooLong = Literal["shorten", "skip", "refuse"]
type Capture = Literal["full", "metadata", "off"]


class NamespaceSettings(Protocol):
    """A namespace as it is written down: a `[[namespaces]]` table, or one of the database.

    `reserved`: globs of users of the proxy who may be in it; empty: everybody.
    """

    @property
    def name(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def match(self) -> MatchSettings | None: ...
    @property
    def reserved(self) -> Sequence[str]: ...
    @property
    def on_too_long(self) -> OnTooLong: ...
    @property
    def plain_text(self) -> bool: ...
    @property
    def capture(self) -> Capture: ...


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace in force. `matchers` must all hold; without any, no rule leads to it.
    `plain_text`: names of tools have the prefix within texts, too. `capture`: what is written."""

    name: str
    prefix: str = ""
    on_too_long: OnTooLong = "shorten"
    reserved: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()
    allowed: Matcher | None = None
    """Who may be in it; None: everybody."""
    plain_text: bool = False
    capture: Capture = "full"

    def refusal(self, facts: Facts) -> str:
        """Why a call is not of this namespace, for a person; empty: it may be."""
        if not self.matchers:
            return "no rule leads here"
        for matcher in self.matchers:
            if not matcher.holds(facts):
                return matcher.refusal(facts)
        if self.allowed is not None and not self.allowed.holds(facts):
            return f"reserved: {self.allowed.refusal(facts)}"
        return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one namespace: the one that `takes` the call, or `why` it does not."""

    namespace: Namespace
    takes: bool
    why: str = ""


class Rules:
    """The namespaces, in order. Never changes; safe to share between threads."""

    def __init__(self, settings: Iterable[NamespaceSettings] = ()) -> None:
        self.namespaces = tuple(map(_namespace, settings))
        named = {one.name: one for one in self.namespaces}
        self.default = named.get(DEFAULT, Namespace(DEFAULT))
        tried = [(_all(one), one) for one in self.namespaces if one.matchers]
        every = [matcher for asked, _ in tried for matcher in asked]
        self._reader = Reader(every)
        alike = Counter((matcher.fact, matcher.wanted) for matcher in every)
        self._tried = [(_tests(asked, alike), one) for asked, one in tried]
        self.matching = bool(tried)
        """Does any rule lead anywhere? Else every call is of the default namespace."""
        self.needs_model = "model" in self._reader.asked
        """Does a rule ask for the model, so that `Caller.model` must be known?"""
        self.needs_session = "session" in self._reader.asked
        """Does a rule ask for sessions, so that `Caller.sessions` must be known?"""

    def find(self, caller: Caller) -> Namespace:
        """The first namespace whose matchers all hold and that the caller may be in."""
        if not self._tried:
            return self.default
        facts = self._reader.read(caller)
        for needed, namespace in self._tried:
            for fact, fits in needed:  # spelled out: calls of functions would take most of the time
                for value in facts.get(fact, ()):
                    if fits(value):
                        break
                else:
                    break
            else:
                return namespace
        return self.default

    def explain(self, caller: Caller) -> list[Verdict]:
        """Of each namespace, in order, and of the default one at the end, what became of it."""
        facts, taken = self._reader.read(caller), ""
        verdicts = []
        for one in self.namespaces:
            why = one.refusal(facts) or (f"{taken} comes before" if taken else "")
            taken = taken if why else one.name
            if one is not self.default or not why:
                verdicts.append(Verdict(one, not why, why))
        if taken != DEFAULT:
            verdicts.append(Verdict(self.default, not taken, taken and f"{taken} comes before"))
        return verdicts


def _all(namespace: Namespace) -> tuple[Matcher, ...]:
    allowed = namespace.allowed
    return (*namespace.matchers, allowed) if allowed else namespace.matchers


def _tests(asked: Iterable[Matcher], alike: Mapping[tuple[str, tuple[str, ...]], int]) -> Tests:
    """What only one namespace asks for tells it from the others: it comes first."""
    ordered = sorted(asked, key=lambda matcher: alike[matcher.fact, matcher.wanted])
    return [(matcher.fact, matcher.fits) for matcher in ordered]


def _namespace(settings: NamespaceSettings) -> Namespace:
    return Namespace(
        name=settings.name,
        prefix=settings.prefix,
        on_too_long=settings.on_too_long,
        reserved=tuple(settings.reserved),
        matchers=tuple(matchers(settings.match)) if settings.match else (),
        allowed=users(settings.reserved) if settings.reserved else None,
        plain_text=settings.plain_text,
        capture=settings.capture,
    )
