"""The local journal between a proxy and the worker: append-only segments, one folder a writer.

    spool/<writer>/lock            held (flock) as long as the writer lives
    spool/<writer>/00000001.seg    magic, then records
    spool/.<writer>.stored/        the journal is gone; its place in the store goes next

A record is a head (lengths of its two parts, xxh3-64 of both), the record itself (msgpack) and
the bytes of a body that travel beside it. A record is appended with one `writev`: what was
written survives kill -9 of the process at once, and a crash of the machine after `sync`. A record
that was cut by a crash is the last of its segment and is not read.

A journal is made aside and renamed when it is locked, so that no reader takes a journal that is
just being made for one whose writer has died. A segment is whole as soon as the next one has its
magic; what cannot be read in a whole segment is reported as a `gap` with `reason: damaged`.

Fails open: where a record cannot be written (disk full, or a limit of `room`), `append` counts it
and says so in a `gap` event as soon as writing works again; the traffic goes on.
"""

from llmproxy_core.spool.reader import SpoolReader, forget, readers, removed
from llmproxy_core.spool.room import Level, Limits, look
from llmproxy_core.spool.segment import START, Entry, Position, segment_path, segments
from llmproxy_core.spool.wake import Wake
from llmproxy_core.spool.writer import SpoolWriter

__all__ = [
    "START",
    "Entry",
    "Level",
    "Limits",
    "Position",
    "SpoolReader",
    "SpoolWriter",
    "Wake",
    "forget",
    "look",
    "readers",
    "removed",
    "segment_path",
    "segments",
]
