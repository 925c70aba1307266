"""`llmproxy export`: calls of the store into a file or standard output. A format is a line here."""

import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.outgoing import fine_tuning, har, jsonl, otlp
from llmproxy_core.interchange.outgoing.call import Call, calls
from llmproxy_core.store.database import Database
from llmproxy_core.store.selection import Selection


class Format(StrEnum):
    jsonl = "jsonl"
    har = "har"
    openai_ft = "openai-ft"
    otlp_json = "otlp-json"


@dataclass(slots=True)
class Written:
    calls: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Calls that the format cannot hold, by reason."""


def export(
    database: Database, chosen: Selection, wanted: Format, file: Path | None, *, bodies: bool
) -> Written:
    """Write the calls of a selection. A file (None: standard output) appears when it is whole.

    Raises:
        InterchangeError: it cannot be written. StoreError: the database.
    """
    written = Written()
    found = _counted(calls(database, chosen), written)
    with _output(file) as out:
        for piece in _pieces(wanted, found, bodies, written):
            out(piece)
    return written


def _pieces(
    wanted: Format, found: Iterable[Call], bodies: bool, written: Written
) -> Iterator[bytes]:
    def left_out(reason: str) -> None:
        written.calls -= 1
        written.left_out[reason] += 1

    match wanted:
        case Format.jsonl:
            return jsonl.lines(found, bodies)
        case Format.har:
            return har.document(found)
        case Format.openai_ft:
            return fine_tuning.lines(found, left_out)
        case Format.otlp_json:
            return otlp.lines(found)


def _counted(found: Iterable[Call], written: Written) -> Iterator[Call]:
    for call in found:
        written.calls += 1
        yield call


@contextmanager
def _output(file: Path | None) -> Iterator[Callable[[bytes], object]]:
    if file is None:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    try:
        if file.exists() and not file.is_file():  # a pipe, a device: not to be replaced
            with file.open("wb") as out:
                yield out.write
        else:
            with _aside(file.resolve()) as out:
                yield out.write
    except OSError as exc:
        raise InterchangeError(f"{file}: {exc.strerror or exc}") from None


@contextmanager
def _aside(file: Path) -> Iterator[BinaryIO]:
    """Takes its place once it is whole."""
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with _private(aside) as out:
            yield out
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _private(file: Path) -> BinaryIO:
    """0600: prompts are nobody else's business."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
