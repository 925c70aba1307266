"""`llmproxy patterns mine`: the patterns of prompts in a file. Needs no home and no store."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Annotated, NamedTuple, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmproxy_core.patterns.report import Report

GZIPPED = b"\x1f\x8b"
WIDEST = 40
"""Characters of an id in the table."""
HEADING = ("id", "pattern", "type", "name")
WANTED = 'an object with an "id" and a string "text" is wanted; see `llmproxy patterns mine --help`'


class Prompt(NamedTuple):
    id: object
    text: str


def mine(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="JSON lines, gzipped or not; - for standard input."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Find the patterns of prompts: lines of {"id", "text"}, answered in their order.

    Each line tells the pattern of a prompt and what it asks for. A prompt that is of no pattern
    has an id of its own that begins with "once:". Nothing is stored.

    \b
    Example:
      llmproxy patterns mine prompts.jsonl --json
      zcat prompts.jsonl.gz | llmproxy patterns mine -
    """
    from llmproxy_core.patterns.report import Report

    told = "standard input" if file == "-" else file
    with _opened(file) as stream:
        widest = len(HEADING[0])

        def texts() -> Iterator[str]:
            nonlocal widest
            for prompt in _prompts(stream, told):
                widest = max(widest, min(len(_shown(prompt.id)), WIDEST))
                yield prompt.text

        report = Report(texts())
        stream.seek(0)
        lines = _rows(stream, told, report) if as_json else _table(stream, told, report, widest)
        for line in lines:
            sys.stdout.write(f"{line}\n")


def _rows(stream: IO[bytes], file: str, report: Report) -> Iterator[str]:
    for id, text in _prompts(stream, file):
        line = report.line(text)
        row = {"id": id, "pattern": line.pattern, "type": line.type, "name": line.name}
        yield json.dumps(row)


def _table(stream: IO[bytes], file: str, report: Report, widest: int) -> Iterator[str]:
    from llmproxy_core.tui import figures, plain

    def aligned(id: str, pattern: str, type: str, name: str) -> str:
        return f"{id:<{widest}}  {pattern:<36}  {type:<18}  {name}".rstrip()

    yield aligned(*HEADING)
    for id, text in _prompts(stream, file):
        line = report.line(text)
        type = line.type or figures.NONE
        yield aligned(_shown(id), line.pattern, type, plain.line(line.name))


def _shown(id: object) -> str:
    from llmproxy_core.tui import plain

    return plain.line(id if isinstance(id, str) else json.dumps(id), WIDEST)


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The file, twice readable: what comes from a pipe is put aside."""
    from llmproxy_core.errors import LlmproxyError

    if file == "-":
        with _aside(sys.stdin.buffer) as copy, _unpacked(copy) as stream:
            yield stream
        return
    try:
        opened = open(file, "rb")  # noqa: SIM115 - closed below
    except OSError as exc:
        raise LlmproxyError(f"cannot read {file}: {exc.strerror or exc}") from exc
    with opened:
        if opened.seekable():
            with _unpacked(opened) as stream:
                yield stream
        else:
            with _aside(opened) as copy, _unpacked(copy) as stream:
                yield stream


@contextmanager
def _aside(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile(prefix="llmproxy-patterns-") as copy:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            copy.write(piece)
        copy.seek(0)
        yield copy


@contextmanager
def _unpacked(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    begins = stream.read(len(GZIPPED))
    stream.seek(0)
    if begins != GZIPPED:
        yield stream
        return
    with gzip.GzipFile(fileobj=stream) as unpacked:
        yield cast("IO[bytes]", unpacked)


def _prompts(stream: IO[bytes], file: str) -> Iterator[Prompt]:
    """Raises LlmproxyError with the number of a line that is wrong."""
    from llmproxy_core.errors import LlmproxyError

    number = 0
    try:
        for raw in stream:
            number += 1
            if raw.strip():
                yield _prompt(raw)
    except (OSError, EOFError, zlib.error) as exc:  # the rest of a gzipped file
        raise LlmproxyError(f"{file}, after line {number}: {exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise LlmproxyError(f"{file}, line {number}: {exc}") from exc


def _prompt(raw: bytes) -> Prompt:
    """Raises ValueError."""
    try:
        row = json.loads(raw)
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 ({exc.reason} at byte {exc.start + 1}); {WANTED}") from None
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"not JSON ({exc}); {WANTED}") from None
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise ValueError(WANTED)
    return Prompt(row["id"], row["text"])
