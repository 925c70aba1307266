"""What the worker asks the store for, to learn: calls again, patterns, what was said of a call."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import batched
from typing import Protocol, get_args
from uuid import UUID

from llmproxy_core.conversations.asides import is_aside
from llmproxy_core.model import Request, Response
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Ending, Enhanced
from llmproxy_core.store import answers, detail, learnt, unlearnt
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Database, Reading
from llmproxy_core.store.learning_rows import UnlearntRow
from llmproxy_core.store.retention import kept_since
from llmproxy_core.success.call import Call
from llmproxy_core.success.registry import judge
from llmproxy_core.withholding import unsaid
from llmproxy_core.worker.demanded import demanded
from llmproxy_core.worker.lesson import Lesson, Took
from llmproxy_core.worker.moments import moment, nanoseconds
from llmproxy_core.worker.naming import address, by_name
from llmproxy_core.worker.pattern_rows import Stored
from llmproxy_core.worker.standing import Standing

ENDINGS: tuple[Ending, ...] = get_args(Ending.__value__)

FEEDBACK_DAYS = timedelta(days=30)
"""So old may an answer be that is named by its id in a header."""

TOGETHER = 10
"""Calls whose bodies are read at once."""

type Learnt = tuple[Lesson, Standing]
type StoredCall = tuple[Call, RequestRow, ResponseRow]
"""A call, and its rows as `detail.unread` has them."""


class School(Protocol):
    """All of it raises DatabaseUnavailable, or another StoreError."""

    def unlearnt(self, home: str, limit: int) -> Sequence[UnlearntRow]:
        """The oldest calls that are left over."""
        ...

    def lesson(self, ns_id: int, id: UUID) -> Learnt | None:
        """A call, read again; None: it is gone."""
        ...

    def standing(self, ns_id: int, id: UUID) -> Standing | None:
        """What was said of a call, and to which patterns it was added."""
        ...

    def patterns(self, ns_id: int) -> Sequence[Stored]: ...

    def changed(self, ns_id: int) -> Sequence[learnt.Changed]:
        """Patterns that a person has named or merged."""
        ...

    def referred(self, ns_id: int) -> Collection[str]:
        """Patterns that rules, experiments or enhancements are about."""
        ...

    def kept_since(self, ns_id: int) -> int:
        """Nothing that is older is kept; ns since 1970."""
        ...

    def latest(self, limit: int) -> Sequence[tuple[int, UUID]]:
        """The latest calls (ns_id, id) that are over, in order."""
        ...

    def call(self, ns_id: int, id: UUID) -> Call | None:
        """A call, as signals judge it; None: it is gone."""
        ...

    def answered(self, ns_id: int, response_id: str, at: int) -> UUID | None:
        """The request to whose answer the provider gave this id, in the FEEDBACK_DAYS before a time
        (ns since 1970)."""
        ...


class DatabaseSchool:
    """Of one database. Reads, and holds nothing. `days`: how long namespaces keep calls that say
    nothing else; 0: for ever."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days

    def unlearnt(self, home: str, limit: int) -> Sequence[UnlearntRow]:
        with self._database.connect() as connection:
            return unlearnt.oldest(connection, home, limit)

    def lesson(self, ns_id: int, id: UUID) -> Learnt | None:
        with self._database.connect() as connection:
            found = stored_call(connection, ns_id, id)
            if found is None:
                return None
            call, asked, told = found
            lesson = lesson_again(call, asked, told)
            lesson.enhanced = _enhanced(learnt.applied(connection, ns_id, id))
            patterns = learnt.patterns_of(connection, ns_id, id)
            signals = learnt.signals(connection, ns_id, [id]).get(id, [])
        lesson.done = frozenset(patterns)
        own = {(one.name, one.by) for one in signals}
        signals = [one for one in judge(call) if (one.name, one.by) not in own] + signals
        return lesson, Standing(ns_id, lesson.took, signals, tuple(patterns.values()))

    def standing(self, ns_id: int, id: UUID) -> Standing | None:
        found = self.lesson(ns_id, id)
        return found[1] if found else None

    def patterns(self, ns_id: int) -> Sequence[Stored]:
        with self._database.connect() as connection:
            return [Stored(*row) for row in learnt.patterns(connection, ns_id)]

    def changed(self, ns_id: int) -> Sequence[learnt.Changed]:
        with self._database.connect() as connection:
            return learnt.changed(connection, ns_id)

    def referred(self, ns_id: int) -> Collection[str]:
        with self._database.connect() as connection:
            return {str(id) for id in learnt.referred(connection, ns_id)}

    def kept_since(self, ns_id: int) -> int:
        with self._database.connect() as connection:
            days = learnt.kept_days(connection, ns_id)
        return kept_since(self._days if days is None else days) * 1_000_000

    def latest(self, limit: int) -> Sequence[tuple[int, UUID]]:
        with self._database.connect() as connection:
            return learnt.latest(connection, limit)

    def call(self, ns_id: int, id: UUID) -> Call | None:
        with self._database.connect() as connection:
            found = stored_call(connection, ns_id, id)
        return found[0] if found else None

    def answered(self, ns_id: int, response_id: str, at: int) -> UUID | None:
        with self._database.connect() as connection:
            since = moment(at) - FEEDBACK_DAYS
            return answers.call_of(connection, response_id, ns_id=ns_id, since=since)


def stored_call(connection: Reading, ns_id: int, id: UUID) -> StoredCall | None:
    """A call as it stands in the store; None: it is gone, or not over. Raises StoreError."""
    return next(stored_calls(connection, ns_id, [id]), None)


def stored_calls(connection: Reading, ns_id: int, ids: Sequence[UUID]) -> Iterator[StoredCall]:
    """Those that are there and over, in their order. Raises StoreError."""
    for some in batched(ids, TOGETHER):
        for asked, told in detail.unread(connection, [(ns_id, id) for id in some]).values():
            if told is not None:
                request, _ = read_request(asked.wire, asked.path, asked.headers, asked.body)
                yield call_again(asked, told, request, _answer(asked, told)), asked, told


def _answer(asked: RequestRow, told: ResponseRow) -> Response:
    reader = AnswerReader(asked.wire, told.status or 0, told.headers, asked.path)
    reader.feed(told.body)
    return unsaid.response(reader.finish(), told.body_kept)


def call_again(asked: RequestRow, told: ResponseRow, request: Request, answer: Response) -> Call:
    body = demanded(asked.wire, asked.headers, asked.body, lambda key: True).body
    agent = asked.user_agent or ""
    return Call(
        id=asked.id,
        ns_id=asked.ns_id,
        session=asked.session_id,
        at=nanoseconds(asked.started_at),
        ended=nanoseconds(told.ended_at),
        wire=asked.wire,
        status=told.status or 0,
        request=request,
        response=answer,
        ending=_ending(told),
        body=body,
        client=f"{asked.proxy_user or ''}\0{address(asked.client)}\0{agent}",
        relation=asked.relation,
        parent=asked.parent_id,
        aside=is_aside(asked.path, by_name(asked.headers), request),
        mute=asked.body_kept != "full" or told.body_kept != "full",
    )


def lesson_again(call: Call, asked: RequestRow, told: ResponseRow) -> Lesson:
    if asked.body_kept != "full":
        return Lesson(call.ns_id, call.id, call.at, call.session.hex, Took.of(call, told))
    demand = demanded(asked.wire, asked.headers, asked.body, lambda key: False)
    return Lesson.of(call, Took.of(call, told), demand, asked.headers)


def _ending(told: ResponseRow) -> Ending:
    """The store has it as the kind of an error."""
    return next((one for one in ENDINGS if one == told.error_type), "complete")


def _enhanced(applied: Sequence[learnt.Done]) -> Enhanced | None:
    """As far as it is stored."""
    if not applied:
        return None
    done = [one for one in applied if one.why is None]
    return Enhanced(
        applied=[one.name for one in done if one.kind == "transformation"],
        arms=[(one.name, one.arm or "") for one in done if one.kind == "experiment"],
    )
