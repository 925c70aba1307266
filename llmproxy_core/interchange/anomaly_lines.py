"""Anomalies as JSON lines: an object each, with the fields of `store.guard_rows.Anomaly`.

Excerpts are as stored: secrets are masked. Calls are named by their ids, and not in it.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import batched
from typing import BinaryIO

import msgspec

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.incoming.lines import numbered
from llmproxy_core.sections.namespaces import NAME
from llmproxy_core.store import anomaly_changes
from llmproxy_core.store.anomalies import Queue, anomalies
from llmproxy_core.store.database import Database, driver
from llmproxy_core.store.guard_rows import Anomaly
from llmproxy_core.store.writer import Writer

PAGE = 500
LONGEST = 2**20
"""Bytes of a line."""
BLOCK = 2**16


def write(database: Database, wanted: Queue, file: BinaryIO) -> int:
    """The newest first; how many. Raises StoreError, OSError."""
    number, before = 0, None
    while True:
        with database.connect() as connection:
            page = anomalies(connection, wanted, limit=PAGE, before=before)
        for one in page:
            file.write(msgspec.json.encode(one) + b"\n")
        number += len(page)
        if len(page) < PAGE:
            return number
        before = page[-1].id


def read(database: Database, file: BinaryIO, actor: str) -> int:
    """Store what `write` has written, here or elsewhere; how many.

    Raises:
        InterchangeError: a line is none of it; those before may be stored by then.
        StoreError: the store cannot take them.
    """
    number, writer = 0, Writer(database)
    try:
        for part in batched(_anomalies(iter(partial(file.read, BLOCK), b"")), PAGE):
            told = [(writer.namespace(one.namespace), one) for one in part]
            with database.connect() as connection:
                anomaly_changes.restore(driver(connection), told, actor)
            number += len(told)
    finally:
        writer.close()
    return number


def _anomalies(blocks: Iterable[bytes]) -> Iterator[Anomaly]:
    for number, line in numbered(blocks, LONGEST):
        if line is None:
            raise InterchangeError(f"line {number} is longer than {LONGEST:,} bytes")
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Anomaly)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
            raise InterchangeError(f"line {number} is not an anomaly: {exc}") from None
        if not NAME.fullmatch(one.namespace):
            raise InterchangeError(f"line {number}: {one.namespace!r} cannot be a namespace")
        yield one
