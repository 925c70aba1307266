"""The filter language of the feed: `model:opus status:>=400 -is:stream "some words"`.

Terms are separated by spaces and all must hold; a `-` before one turns it round. A term is
`key:value`, or words to look for in what the feed shows of a flow: the start of what was asked
and answered, model, path. Letters match in either case (A-Z only, so that every server agrees).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Never

from sqlalchemy import ColumnElement, and_, true

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.store import query
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.query import Query, joined
from llmproxy_core.store.terms import (
    AnyOf,
    Calls,
    Compares,
    Contains,
    Flag,
    HasId,
    InState,
    Not,
    Term,
)
from llmproxy_core.store.values import clean

QUERY_KEY = "text"
TOKEN = re.compile(r'-?(?:[A-Za-z_]+:)?(?:"[^"]*"(?!\S)|[^\s"]+(?!\S)|(?=\s|$))')
PARTS = re.compile(r"(?P<minus>-?)(?:(?P<key>[A-Za-z_]+):)?(?P<value>.*)", re.DOTALL)
COMPARISON = re.compile(r"(>=|<=|>|<|=|)(\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})([km]?)", re.ASCII)
FACTORS = {"": 1, "k": 1000, "m": 1_000_000}
STATES = ("open", "complete", "partial", "failed")
FLAGS: dict[str, Term] = {
    "stream": Flag("stream"),
    "changed": AnyOf((Flag("request_changed"), Flag("response_changed"))),
    "error": AnyOf((Compares(("status",), ">=", Decimal(400)), Flag("error"), InState("failed"))),
    "tool": Compares(("n_tool_calls",), ">", Decimal(0)),
}
MODEL = ("model", "request_model")
WORDS = ("preview", "text_start", "model", "path")


class FilterError(LlmproxyError):
    """A term that cannot be understood; names it and says what is possible."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold; empty: every flow. `query`: what its texts must hold, too."""

    text: str
    terms: tuple[Term, ...]
    query: Query | None = None

    def __bool__(self) -> bool:
        return bool(self.terms or self.query)

    @property
    def models(self) -> list[str]:
        """What the name of the model must hold, by terms that are not turned round."""
        return [
            term.needle
            for term in self.terms
            if isinstance(term, Contains) and tuple(term.fields) == MODEL
        ]

    def sql(self) -> ColumnElement[bool]:
        """Over the tables of `feed`, without the query; values are parameters."""
        return and_(true(), *(term.sql() for term in self.terms))

    def matches(self, flow: Flow) -> bool:
        """The same answer as the SQL, without a query; of texts, what the feed shows decides."""
        if self.query is not None and not self.query.seen_in(_shown(flow)):
            return False
        return all(term.matches(flow) for term in self.terms)


def parse(text: str) -> Filter:
    """Read a filter line.

    Raises:
        FilterError: naming the term that is wrong.
    """
    tokens = _tokens(text)
    asked = [found for token in tokens if (found := _query(token)) is not None]
    terms = tuple(_term(token) for token in tokens if _query(token) is None)
    return Filter(text, terms, joined(asked) if asked else None)


def _query(token: str) -> Query | None:
    """What `text:` looks for; None of other terms."""
    found = PARTS.fullmatch(token)
    if found is None or (found["key"] or "").lower() != QUERY_KEY:
        return None
    try:
        return query.parse(found["minus"] + found["value"])
    except query.SearchError as exc:
        raise FilterError(f"{token}: {exc}") from None


def _shown(flow: Flow) -> str:
    return f"{flow.preview}\n{flow.text_start}"


def _tokens(text: str) -> list[str]:
    tokens = []
    position = 0
    while rest := text[position:].lstrip():
        position = len(text) - len(rest)
        found = TOKEN.match(text, position)
        if found is None or not found[0]:
            raise FilterError(f"{rest.split()[0]}: close the quotes, and put a space after them")
        tokens.append(found[0])
        position = found.end()
    return tokens


def _term(token: str) -> Term:
    found = PARTS.fullmatch(token)
    if found is None:
        _refuse(token, "not a term")
    key, value = found["key"], clean(found["value"])
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if not value:
        _refuse(token, f"say what to look for, e.g. {key or 'model'}:{EXAMPLES.get(key, 'opus')}")
    if key is None:
        term: Term = Contains(WORDS, value)
    elif make := KEYS.get(key.lower()):
        term = make(token, value)
    else:
        _refuse(
            token, f"there is no {key}: - known are {', '.join(KEYS)}; quote it to search for it"
        )
    return Not(term) if found["minus"] else term


def _contains(*fields: str) -> Callable[[str, str], Term]:
    return lambda token, value: Contains(fields, value)


def _compares(*fields: str) -> Callable[[str, str], Term]:
    def make(token: str, value: str) -> Term:
        found = COMPARISON.fullmatch(value.lower())
        if found is None:
            _refuse(token, "write a number, as in status:200, cost:>0.1, tokens:>=10k")
        sign, digits, factor = found.groups()
        return Compares(fields, sign or "=", Decimal(digits) * FACTORS[factor])

    return make


def _has_id(field: str) -> Callable[[str, str], Term]:
    def make(token: str, value: str) -> Term:
        digits = value.replace("-", "").lower()
        if not re.fullmatch("[0-9a-f]{1,32}", digits):
            _refuse(token, "write a part of the id: the digits 0-9 and a-f")
        return HasId(field, digits)

    return make


def _state(token: str, value: str) -> Term:
    if value.lower() not in STATES:
        _refuse(token, f"the states are {', '.join(STATES)}")
    return InState(value.lower())


def _flag(token: str, value: str) -> Term:
    if value.lower() not in FLAGS:
        _refuse(token, f"known are is:{', is:'.join(FLAGS)}")
    return FLAGS[value.lower()]


def _refuse(token: str, why: str) -> Never:
    raise FilterError(f"{token}: {why}")


EXAMPLES = {"status": ">=400", "cost": ">0.1", "tokens": ">10k", "state": "open", "is": "stream"}
KEYS: dict[str, Callable[[str, str], Term]] = {
    "model": _contains(*MODEL),
    "provider": _contains("provider"),
    "wire": _contains("wire"),
    "host": _contains("host"),
    "path": _contains("path"),
    "client": _contains("client", "user_agent", "proxy_user"),
    "ns": _contains("namespace"),
    "tool": lambda token, value: Calls(value),
    "status": _compares("status"),
    "cost": _compares("cost_usd"),
    "tokens": _compares("input_tokens", "output_tokens"),
    "in": _compares("input_tokens"),
    "out": _compares("output_tokens"),
    "ms": _compares("duration_ms"),
    "ttft": _compares("first_token_ms"),
    "session": _has_id("session_id"),
    "id": _has_id("id"),
    "state": _state,
    "is": _flag,
}
"""A new term is a line here."""
