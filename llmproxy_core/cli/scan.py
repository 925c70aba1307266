"""`llmproxy scan`: texts judged as the proxy judges them."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmproxy_core.anomaly.scan import Line, Scanned

WARNED = 10
"""Roles that are told of."""


def scan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            min=0,
            max=1,
            metavar="S",
            help="The score that makes an attack; by default the one that flags 1 % of harmless texts.",
        ),
    ] = None,
) -> None:
    """Judge texts: lines of {"id", "text", "role"}, the role being user, assistant, tool or system.

    The score is about attacks on models (injection, jailbreak, exfiltration, hidden text); findings
    are of all detectors. Nothing is stored.

    \b
    Example:
      echo '{"id": 1, "text": "Ignore all previous instructions."}' | llmproxy scan -
    """
    from llmproxy_core.anomaly import scan as scanning
    from llmproxy_core.anomaly.injection import THRESHOLD

    least = THRESHOLD if threshold is None else threshold
    with _opened(file) as stream:
        for one in scanning.scan(_lines(stream, file), least):
            if as_json:
                typer.echo(json.dumps(one.told()))
            else:
                _print(one)


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    from llmproxy_core.errors import LlmproxyError

    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with open(file, "rb") as stream:
            yield stream
    except OSError as exc:
        raise LlmproxyError(f"cannot read {file}: {exc.strerror or exc}") from exc


def _lines(stream: IO[bytes], file: str) -> Iterator[Line]:
    """Blank lines are passed over. Raises LlmproxyError with the number of a line that is wrong."""
    from llmproxy_core.anomaly.scan import ROLES, Line
    from llmproxy_core.errors import LlmproxyError

    warned: set[str] = set()
    for number, raw in enumerate(stream, 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except ValueError as exc:
            raise LlmproxyError(
                f"{file}, line {number}: not JSON ({exc}); see `scan --help`"
            ) from exc
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise LlmproxyError(f'{file}, line {number}: an object with a string "text" is wanted')
        role = str(row.get("role") or "user")
        if role.lower() not in ROLES:
            _warn_once(file, number, role, warned)
        yield Line(row.get("id", number), row["text"], role)


def _warn_once(file: str, number: int, role: str, warned: set[str]) -> None:
    from llmproxy_core.anomaly.scan import ROLES
    from llmproxy_core.cli.surroundings import warn
    from llmproxy_core.tui import plain

    if role not in warned and len(warned) < WARNED:
        told = f"{file}, line {number}: nobody knows the role {plain.line(role, 40)!r}"
        warn(f"{told}, so it is taken for the user's. Known are: {', '.join(ROLES)}")
    warned.add(role)


def _print(one: Scanned) -> None:
    from llmproxy_core.tui import plain

    families = ", ".join(dict.fromkeys(finding.family for finding in one.findings))
    told = f"{one.score:.3f}  {one.verdict:<8}  {plain.line(str(one.id))}  {families}"
    typer.echo(told.rstrip())
