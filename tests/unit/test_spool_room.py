"""The limits of the spool: what is kept near them, and at them; and that all else is told."""

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from llmproxy_core.records import Event
from llmproxy_core.spool import START, Level, Limits, SpoolReader, SpoolWriter, look, room
from llmproxy_core.spool.room import LOOK_SECONDS, Room, Usage
from tests.worker.traffic import Call, chat_stream

KIB = 2**10
BODY = b"x" * 10 * KIB
LIMIT = 500 * KIB
PLENTY = 100 * 2**30


@pytest.fixture
def disk(monkeypatch):
    """`free`: what the file system has left, as a test wants it."""
    usage = Usage(0, PLENTY)
    monkeypatch.setattr(room, "look", lambda spool: Usage(look(spool).used, usage.free))
    return usage


@pytest.fixture
def clock(monkeypatch):
    """Seconds; every look at the clock is `step` later."""

    class Clock:
        now = 0.0
        step = 0.0

        def __call__(self) -> float:
            self.now += self.step
            return self.now

    made = Clock()
    monkeypatch.setattr("time.monotonic", made)
    return made


@pytest.fixture
def journal(tmp_path, disk):
    made = SpoolWriter(tmp_path, limits=Limits(LIMIT, 2**30))
    made.room._clock = lambda: time.monotonic()
    yield made
    made.close()


def fill(journal: SpoolWriter, count: int) -> Counter[bool]:
    """Requests of 10 KiB; how many were kept whole."""
    return Counter(journal.append(Call(number).opened()[0], [BODY]) for number in range(count))


def read(journal: SpoolWriter) -> list[Any]:
    return list(SpoolReader(journal.folder).read(START))


def store(journal: SpoolWriter) -> list[Any]:
    """Read all, and free the full segments, as the worker does."""
    reader = SpoolReader(journal.folder)
    entries = read(journal)
    reader.remove_before(entries[-1].start)
    return entries


def gaps(entries: list[Any]) -> Counter[str]:
    told: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry.record, Event):
            told.update({key: entry.record.data[key] for key in ("records", "bodies", "bytes")})
    return told


def test_near_the_limit_records_are_kept_without_their_bodies(journal):
    kept = fill(journal, 60)
    entries = [e for e in read(journal) if e.record.body_kept]
    assert [bool(e.body) for e in entries] == [True] * kept[True] + [False] * kept[False]
    assert {(bool(e.body), e.record.body_kept) for e in entries} == {
        (True, "full"),
        (False, "dropped"),
    }
    assert journal.room.level == Level.RECORDS


def test_at_the_limit_nothing_is_kept_and_the_spool_does_not_grow(journal, tmp_path):
    fill(journal, 2000)
    assert journal.room.level == Level.NOTHING
    assert 0.95 * LIMIT < look(tmp_path).used <= LIMIT


def test_a_disk_that_others_fill_is_left_its_space(journal, disk, clock):
    assert fill(journal, 3) == {True: 3}
    disk.free = int(1.05 * 2**30)
    clock.now += LOOK_SECONDS
    assert fill(journal, 3) == {False: 3}
    assert (journal.room.level, journal.room.reason) == (Level.RECORDS, "min_free_bytes")
    disk.free = 2**29
    clock.now += LOOK_SECONDS
    fill(journal, 1)
    assert journal.room.level == Level.NOTHING


def test_all_that_was_not_kept_is_counted_once(journal, clock):
    kept = fill(journal, 2000)
    entries = store(journal)
    clock.now += LOOK_SECONDS
    assert fill(journal, 1) == {True: 1}
    entries += SpoolReader(journal.folder).read(entries[-1].end)
    told = gaps(entries)
    assert told["records"] + told["bodies"] == kept[False]
    assert told["bytes"] == kept[False] * len(BODY)
    assert journal.lost == {}


def test_bodies_that_go_on_missing_are_told_every_ten_seconds(journal, clock):
    clock.step = 0.5
    fill(journal, 45)
    before = len(gaps_in(journal))
    fill(journal, 60)
    assert journal.room.level == Level.RECORDS
    assert 2 <= len(gaps_in(journal)) - before <= 12


def gaps_in(journal: SpoolWriter) -> list[Event]:
    records = [entry.record for entry in read(journal)]
    return [record for record in records if isinstance(record, Event)]


def test_of_an_answer_that_lost_a_piece_only_the_beginning_is_kept(journal, disk, clock):
    call = Call(1, pieces=chat_stream("one", "two", "three"))
    _, answered, first, second, third, last, closed = call.records()
    journal.append(answered[0])
    assert journal.append(first[0], [first[1]])
    disk.free = int(1.05 * 2**30)
    clock.now += LOOK_SECONDS
    assert not journal.append(second[0], [second[1]])
    disk.free = PLENTY
    clock.now += LOOK_SECONDS
    for record, body in (third, last, closed):
        journal.append(record, [body] if body else [])
    entries = [entry for entry in read(journal) if not isinstance(entry.record, Event)]
    end: Any = closed[0]
    assert b"".join(entry.body for entry in entries) == first[1]
    assert entries[-1].record == replace(end, body_kept="dropped")


def test_without_limits_the_disk_is_never_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "look", lambda spool: pytest.fail("looked"))
    journal = SpoolWriter(tmp_path)
    assert fill(journal, 100) == {True: 100}
    journal.close()


def test_the_disk_is_looked_at_once_a_second(tmp_path, monkeypatch, clock):
    looks = []

    def count(spool):
        looks.append(spool)
        return Usage(0, PLENTY)

    monkeypatch.setattr(room, "look", count)
    found = Room(tmp_path, Limits(PLENTY, 2**30), clock)
    for _ in range(10_000):
        clock.now += 0.001
        found.take(2000, 500)
    assert len(looks) in (9, 10, 11)


@given(used=st.lists(st.floats(0.5, 1.2), min_size=1, max_size=50))
def test_a_level_is_left_only_well_below_where_it_began(used):
    level, since = Level.ALL, 0.0
    for near in used:
        after = room._level(near, level)
        if after > level:
            since = near
        assert near < 1.0 or after == Level.NOTHING
        assert after <= level or near >= 0.9
        assert after >= level or near < since
        level = after
