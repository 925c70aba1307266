"""The format of a segment: how records are framed, and read back up to the last whole one."""

import os
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import xxhash

from llmproxy_core.errors import SpoolError
from llmproxy_core.records import Record, decode, encode

MAGIC = b"LLMPSP01"
HEAD = struct.Struct("<IIQ")
MAX_RECORD = 2**31
READ_BYTES = 2**20
RECORD = re.compile(
    rb"(?=..\x00\x00.{3}[\x00-\x7f].{8}(?:[\x90-\x9f]|\xdc\x00.)[\x01-\x0f])", re.DOTALL
)
"""How a record begins that is not larger than 64 KiB without its body: head, array, tag."""
SEARCHED = 4
"""How often a damaged segment may be read through in search of the next whole record."""


class Position(NamedTuple):
    """A place in one writer's journal; compares in the order of writing."""

    segment: int
    offset: int


START = Position(1, len(MAGIC))


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.seg"


def segments(folder: Path) -> list[int]:
    """The numbers of a writer's segments, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.seg") if path.stem.isdigit())


@dataclass(slots=True)
class Entry:
    """A record as read: `start` is where it begins, `end` where the next one will."""

    start: Position
    end: Position
    record: Record
    body: bytes


def framed(record: Record, body: bytes) -> tuple[bytes, bytes, bytes]:
    meta = encode(record)
    digest = xxhash.xxh3_64(meta)
    digest.update(body)
    return HEAD.pack(len(meta), len(body), digest.intdigest()), meta, body


def read_segment(path: Path, start: Position) -> Iterator[Entry]:
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    with file:
        descriptor = file.fileno()
        magic = os.pread(descriptor, len(MAGIC), 0)
        if len(magic) < len(MAGIC):
            return
        if magic != MAGIC:
            raise SpoolError(f"{path}: not a spool segment of this version of llmproxy")
        block, at = b"", start
        while True:
            entry, want = _entry(block, at.offset - start.offset, start)
            if entry is not None:
                yield entry
                at = entry.end
                continue
            rest = os.fstat(descriptor).st_size - at.offset
            have = len(block) - (at.offset - start.offset)
            if want > rest or have >= rest:
                return
            start = at
            block = _pread(descriptor, max(want, READ_BYTES), at.offset)


def next_whole(path: Path, start: Position) -> Position | None:
    """The first place from `start` on where there is a whole record. Raises OSError."""
    data = path.read_bytes()
    budget = SEARCHED * len(data)
    for found in RECORD.finditer(data, start.offset):
        meta_size, body_size, _ = HEAD.unpack_from(data, found.start())
        size = HEAD.size + meta_size + body_size
        if found.start() + size > len(data) or (budget := budget - size) < 0:
            continue
        entry, _ = _entry(data, found.start(), Position(start.segment, 0))
        if entry is not None:
            return entry.start
    return None


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes: a single pread stops at 2 GiB."""
    parts = []
    while size > 0 and (part := os.pread(descriptor, size, offset)):
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _entry(block: bytes, index: int, start: Position) -> tuple[Entry | None, int]:
    """The record at `block[index:]`, or None and how many bytes of it there must be to read it.

    `start` is where the block begins. No number of bytes helps a record that is damaged.
    """
    if len(block) - index < HEAD.size:
        return None, HEAD.size
    meta_size, body_size, expected = HEAD.unpack_from(block, index)
    size = HEAD.size + meta_size + body_size
    if size > MAX_RECORD:
        return None, sys.maxsize
    if len(block) - index < size:
        return None, size
    view = memoryview(block)[index + HEAD.size : index + size]
    if xxhash.xxh3_64_intdigest(view) != expected:
        return None, sys.maxsize
    try:
        record = decode(view[:meta_size])
    except msgspec.DecodeError:
        return None, sys.maxsize
    begin = start.offset + index
    entry = Entry(
        Position(start.segment, begin),
        Position(start.segment, begin + size),
        record,
        bytes(view[meta_size:]),
    )
    return entry, 0
