"""The journal between a proxy and the worker: what was appended is read, whole and in order."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.errors import SpoolError
from llmproxy_core.records import Event, Piece
from llmproxy_core.spool import (
    START,
    Position,
    SpoolReader,
    SpoolWriter,
    Wake,
    readers,
    segment,
)
from llmproxy_core.spool.writer import MAX_UNSYNCED, Lost


def piece(number: int) -> Piece:
    return Piece(number.to_bytes(16), number, [(number, 1)])


@pytest.fixture
def writer(tmp_path):
    journal = SpoolWriter(tmp_path)
    yield journal
    journal.close()


def test_what_is_appended_is_read_in_order(writer):
    for number in range(5):
        assert writer.append(piece(number), [b"body", b"%d" % number])
    entries = list(SpoolReader(writer.folder).read(START))
    assert [entry.record for entry in entries] == [piece(number) for number in range(5)]
    assert [entry.body for entry in entries] == [b"body%d" % number for number in range(5)]


def test_each_entry_ends_where_the_next_begins(writer):
    for number in range(4):
        writer.append(piece(number), [b"x" * number])
    entries = list(SpoolReader(writer.folder).read(START))
    assert [entry.end for entry in entries[:-1]] == [entry.start for entry in entries[1:]]
    again = list(SpoolReader(writer.folder).read(entries[2].start))
    assert again == entries[2:]


@given(bodies=st.lists(st.binary(max_size=300), max_size=30), segment=st.integers(50, 2000))
def test_segments_of_any_size_read_as_one_journal(tmp_path_factory, bodies, segment):
    journal = SpoolWriter(tmp_path_factory.mktemp("spool"), segment_bytes=segment)
    for number, body in enumerate(bodies):
        journal.append(piece(number), [body])
    entries = list(SpoolReader(journal.folder).read(START))
    assert [entry.body for entry in entries] == bodies
    journal.close()


def test_a_body_larger_than_one_read_comes_back_whole(writer):
    body = os.urandom(segment.READ_BYTES * 3 + 17)
    writer.append(piece(1), [b"small"])
    writer.append(piece(2), [body[:1000], body[1000:]])
    writer.append(piece(3), [b"after"])
    bodies = [entry.body for entry in SpoolReader(writer.folder).read(START)]
    assert bodies == [b"small", body, b"after"]


def test_a_body_in_many_parts_is_written_whole(writer):
    writer.append(piece(1), [b"%d," % number for number in range(3000)])
    (entry,) = SpoolReader(writer.folder).read(START)
    assert entry.body == b"".join(b"%d," % number for number in range(3000))


def test_a_torn_tail_is_ignored_wherever_it_was_cut(tmp_path):
    journal = SpoolWriter(tmp_path)
    journal.append(piece(1), [b"first"])
    journal.append(piece(2), [b"second"])
    journal.close()
    path = journal.folder / "00000001.seg"
    content = path.read_bytes()
    first, second = SpoolReader(journal.folder).read(START)
    for size in range(len(content)):
        path.write_bytes(content[:size])
        whole = [entry for entry in (first, second) if entry.end.offset <= size]
        assert list(SpoolReader(journal.folder).read(START)) == whole


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_byte_never_yields_a_wrong_record(tmp_path_factory, at, flip):
    journal = SpoolWriter(tmp_path_factory.mktemp("spool"))
    for number in range(3):
        journal.append(piece(number), [b"body %d" % number])
    journal.close()
    entries = list(SpoolReader(journal.folder).read(START))
    path = journal.folder / "00000001.seg"
    content = bytearray(path.read_bytes())
    at = START.offset + at % (len(content) - START.offset)
    content[at] ^= flip
    path.write_bytes(content)
    intact = [entry for entry in entries if not entry.start.offset <= at < entry.end.offset]
    read = list(SpoolReader(journal.folder).read(START))
    assert [entry for entry in read if not isinstance(entry.record, Event)] == intact
    assert len(read) == (2 if at >= entries[-1].start.offset else 3)


@pytest.mark.parametrize("bad", [b"\xff" * 40, b"", b"\0" * 4000])
def test_what_follows_damage_is_read(tmp_path, bad):
    journal = SpoolWriter(tmp_path, segment_bytes=2000)
    for number in range(30):
        journal.append(piece(number), [b"body %d" % number * 10])
    journal.close()
    entries = list(SpoolReader(journal.folder).read(START))
    path = journal.folder / "00000001.seg"
    content, third = path.read_bytes(), entries[2]
    path.write_bytes(content[: third.start.offset] + bad + content[third.end.offset - 5 :])
    read = list(SpoolReader(journal.folder).read(START))
    records = [entry.record for entry in read if not isinstance(entry.record, Event)]
    assert records == [piece(number) for number in range(30) if number != 2]
    (gap,) = (entry.record for entry in read if isinstance(entry.record, Event))
    assert gap.data == {"reason": "damaged", "bytes": len(bad) + 5}


def test_a_record_of_a_kind_that_is_not_known_is_damage(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=300)
    journal.append(piece(1))
    strange = msgspec.msgpack.encode([9, b"x" * 16])
    journal._append(strange, [], 0)
    for number in range(2, 9):
        journal.append(piece(number), [b"x" * 50])
    journal.close()
    kinds = [type(entry.record) for entry in SpoolReader(journal.folder).read(START)]
    assert kinds == [Piece, Event, *[Piece] * 7]


def test_thinning_out_reads_on_after_damage(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=500)
    for number in range(30):
        journal.append(piece(number), [b"x" * 50])
    path = journal.folder / "00000001.seg"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    reader = SpoolReader(journal.folder)
    before = [entry.record for entry in reader.read(START)]
    reader.thin_out(1, lambda record: isinstance(record, Piece))
    assert [entry.record for entry in reader.read(START)] == before[1:]
    journal.close()


def test_a_body_that_looks_like_records_costs_no_more_than_its_length(tmp_path):
    lure = (2000).to_bytes(4, "little") + (60_000).to_bytes(4, "little") + bytes(8) + b"\x93\x01"
    journal = SpoolWriter(tmp_path)
    journal.append(piece(1), [lure * 200_000])
    journal.append(piece(2))
    journal.close()
    path = journal.folder / "00000001.seg"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    began = time.process_time()
    list(SpoolReader(journal.folder).read(START))
    assert time.process_time() - began < 3


def test_damage_in_a_segment_that_has_a_follower_is_told_as_a_gap(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=100)
    for number in range(2):
        journal.append(piece(number), [b"x" * 80])
    first, second = SpoolReader(journal.folder).read(START)
    path = journal.folder / "00000001.seg"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    gap, rest = SpoolReader(journal.folder).read(START)
    assert isinstance(gap.record, Event)
    assert gap.record.data == {"reason": "damaged", "bytes": first.end.offset - START.offset}
    assert (gap.end, rest) == (second.start, second)
    assert next(SpoolReader(journal.folder).read(START)) == gap
    journal.close()


def test_the_tail_of_the_last_segment_is_awaited_not_called_damage(writer):
    writer.append(piece(1))
    (entry,) = SpoolReader(writer.folder).read(START)
    with (writer.folder / "00000001.seg").open("ab") as file:
        file.write(b"half a rec")
    assert list(SpoolReader(writer.folder).read(entry.end)) == []


def test_a_file_that_is_not_ours_is_an_error_that_names_it(writer):
    (writer.folder / "00000001.seg").write_bytes(b"something else")
    with pytest.raises(SpoolError, match=r"00000001\.seg: not a spool segment"):
        list(SpoolReader(writer.folder).read(START))


def test_backlog_counts_what_is_written_and_not_read(writer):
    reader = SpoolReader(writer.folder)
    assert reader.backlog(START) == 0
    writer.append(piece(1), [b"x" * 1000])
    assert reader.backlog(START) > 1000
    (entry,) = reader.read(START)
    assert reader.backlog(entry.end) == 0


def test_stored_segments_are_dropped_and_reading_goes_on(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=100)
    for number in range(4):
        journal.append(piece(number), [b"x" * 80])
    reader = SpoolReader(journal.folder)
    entries = list(reader.read(START))
    reader.remove_before(entries[2].start)
    assert segment.segments(journal.folder) == [3, 4]
    assert list(reader.read(START)) == entries[2:]
    journal.close()


def test_a_writer_is_alive_until_it_closes(tmp_path):
    journal = SpoolWriter(tmp_path)
    (reader,) = readers(tmp_path)
    assert reader.writer_alive()
    journal.close()
    assert not reader.writer_alive()


def test_a_finished_journal_can_be_removed(tmp_path):
    journal = SpoolWriter(tmp_path)
    journal.append(piece(1))
    journal.close()
    SpoolReader(journal.folder).remove()
    assert readers(tmp_path) == []


def test_a_journal_that_is_being_made_is_not_taken_for_a_dead_one(tmp_path):
    (tmp_path / ".0198").mkdir()
    assert readers(tmp_path) == []


def test_looking_at_journals_never_gets_in_the_way_of_new_ones(tmp_path):
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            assert all(reader.writer_alive() for reader in readers(tmp_path))

    watcher = threading.Thread(target=look)
    watcher.start()
    journals = [SpoolWriter(tmp_path) for _ in range(100)]
    stop.set()
    watcher.join()
    assert all(journal.append(piece(1)) for journal in journals)
    for journal in journals:
        journal.close()


def test_after_close_a_record_is_counted_as_lost(tmp_path):
    journal = SpoolWriter(tmp_path)
    journal.close()
    assert not journal.append(piece(1), [b"12345"])
    assert journal.lost == {"unwritable": Lost(records=1, bytes=5)}


def test_a_full_disk_costs_records_that_are_told_later(writer, monkeypatch):
    real = os.writev

    def full(descriptor, parts):
        os.write(descriptor, b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    writer.append(piece(1), [b"before"])
    monkeypatch.setattr(os, "writev", full)
    assert not writer.append(piece(2), [b"lost"])
    assert not writer.append(piece(3), [b"lost, too"])
    monkeypatch.setattr(os, "writev", real)
    assert writer.append(piece(4), [b"after"])
    before, gap, after = (entry for entry in SpoolReader(writer.folder).read(START))
    assert (before.body, after.body) == (b"before", b"after")
    assert isinstance(gap.record, Event)
    assert gap.record.data == {"reason": "unwritable", "records": 2, "bodies": 0, "bytes": 13}


def test_a_limit_on_file_size_is_met_like_a_full_disk(tmp_path):
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from llmproxy_core.records import Piece
        from llmproxy_core.spool import START, SpoolReader, SpoolWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        journal = SpoolWriter(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        kept = [journal.append(Piece(n.to_bytes(16), n, []), [b"x" * 300]) for n in range(5)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        kept.append(journal.append(Piece(b'9' * 16, 9, []), [b"y"]))
        entries = list(SpoolReader(journal.folder).read(START))
        assert kept == [True, True, False, False, False, True], kept
        gaps = [entry.record.data for entry in entries if not entry.body]
        assert [len(entry.body) for entry in entries if entry.body] == [300, 300, 1], entries
        assert sum(gap["records"] for gap in gaps) == 3, gaps
        assert sum(gap["bytes"] for gap in gaps) == 900, gaps
    """)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=120)


def test_a_failed_change_of_segment_leaves_no_half_made_one(tmp_path, monkeypatch):
    journal = SpoolWriter(tmp_path, segment_bytes=100)
    journal.append(piece(1), [b"x" * 80])
    real = os.write

    def full(descriptor, data):
        if data == segment.MAGIC:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    assert not journal.append(piece(2), [b"x" * 80])
    assert segment.segments(journal.folder) == [1]
    monkeypatch.setattr(os, "write", real)
    assert journal.append(piece(3), [b"x" * 80])
    bodies = [entry.body for entry in SpoolReader(journal.folder).read(START)]
    assert bodies == [b"x" * 80, b"", b"x" * 80]
    journal.close()


def test_what_was_appended_survives_kill_9(tmp_path):
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from llmproxy_core.records import Piece
        from llmproxy_core.spool import SpoolWriter
        journal = SpoolWriter(Path(sys.argv[1]))
        for number in range(100):
            journal.append(Piece(bytes(16), number, []), [b"x" * number])
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    (reader,) = readers(tmp_path)
    assert not reader.writer_alive()
    assert [len(entry.body) for entry in reader.read(START)] == list(range(100))


def test_sync_from_another_thread_meets_changing_segments(tmp_path):
    journal = SpoolWriter(tmp_path, segment_bytes=200)
    stop = threading.Event()
    faults: list[BaseException] = []

    def sync() -> None:
        try:
            while not stop.is_set():
                journal.sync()
        except BaseException as exc:
            faults.append(exc)

    thread = threading.Thread(target=sync)
    thread.start()
    for number in range(300):
        assert journal.append(piece(number), [b"x" * 100])
    stop.set()
    thread.join()
    assert faults == []
    journal.sync()
    journal.close()
    assert len(list(SpoolReader(journal.folder).read(START))) == 300


def test_without_sync_few_full_segments_stay_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    journal = SpoolWriter(tmp_path, segment_bytes=100)
    for number in range(50):
        journal.append(piece(number), [b"x" * 80])
    assert len(os.listdir("/proc/self/fd")) <= before + MAX_UNSYNCED + 3
    journal.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_wake_is_seen_and_drained(tmp_path):
    wake = Wake(tmp_path)
    journal = SpoolWriter(tmp_path)
    journal.wake()
    assert os.read(wake.descriptor, 10) == b"\0"
    for _ in range(100_000):
        journal.wake()  # more than the pipe holds: never blocks
    wake.drain()
    with pytest.raises(BlockingIOError):
        os.read(wake.descriptor, 1)
    wake.close()
    journal.close()


def test_positions_compare_in_the_order_of_writing():
    assert Position(1, 900) < Position(2, 8) < Position(2, 9)


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "spool").write_bytes(b"a file, not a folder")
    with pytest.raises(SpoolError, match=str(Path("spool"))):
        SpoolWriter(tmp_path / "spool")


def test_a_segment_that_is_thinned_out_keeps_what_is_asked_for_in_order(tmp_path):
    journal = SpoolWriter(tmp_path)
    for number in range(10):
        journal.append(piece(number), [b"body %d" % number])
    reader = SpoolReader(journal.folder)
    path = journal.folder / "00000001.seg"
    before = path.stat().st_size
    reader.thin_out(1, lambda record: isinstance(record, Piece) and record.at % 3 == 0)
    assert [entry.body for entry in reader.read(START)] == [b"body %d" % n for n in (0, 3, 6, 9)]
    assert path.stat().st_size < before
    assert path.stat().st_mode & 0o777 == 0o600
    journal.close()
    reader.remove()
    assert readers(tmp_path) == []
