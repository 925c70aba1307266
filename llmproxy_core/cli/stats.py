"""`llmproxy stats`: what was used, paid and waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.since import moment
from llmproxy_core.cli.surroundings import print_json, store

if TYPE_CHECKING:
    from llmproxy_core.store.statistics import Statistics

HEADING = "calls", "errors", "in", "cached", "out", "cost", "p50", "p90", "p99", "first p50"
WIDTHS = 8, 7, 9, 9, 9, 9, 7, 7, 7, 9


class By(StrEnum):
    model = "model"
    client = "client"
    provider = "provider"
    namespace = "namespace"
    day = "day"
    hour = "hour"


def stats(
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="24h, 7d, 2w, or a date: 2026-05-17.")
    ] = "7d",
    by: Annotated[By, typer.Option("--by", help="What a line stands for.")] = By.model,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Sums of calls, tokens, cost and errors, and how long calls took (percentiles, to 2 %).

    Whole hours are counted, from the one in which WHEN is.

    \b
    Example:
      llmproxy stats --since 24h --by hour
      llmproxy stats --by client --json | jq .cost_usd
    """
    from llmproxy_core.store.statistics import statistics

    now = datetime.now(UTC)
    begin = moment(since, now).replace(minute=0, second=0, microsecond=0)
    with store("llmproxy stats") as database, database.connect() as connection:
        found = statistics(connection, by.value, begin, now + timedelta(hours=1), zone=_zone())
    if as_json:
        for one in found:
            print_json(one, indent=False)
        return
    for line in _table(by.value, found):
        typer.echo(line)


def _table(name: str, found: list[Statistics]) -> list[str]:
    from llmproxy_core.tui import figures, plain

    rows = [
        (
            plain.line(one.name) or "(none)",
            f"{one.requests:,}",
            f"{one.errors:,}",
            figures.tokens(one.input_tokens),
            figures.tokens(one.cached_tokens),
            figures.tokens(one.output_tokens),
            figures.usd(one.cost_usd),
            figures.ms(one.duration_ms.p50),
            figures.ms(one.duration_ms.p90),
            figures.ms(one.duration_ms.p99),
            figures.ms(one.first_token_ms.p50),
        )
        for one in found
    ]
    rows.insert(0, (name, *HEADING))
    wide = max(len(row[0]) for row in rows)
    return [_line(row, wide) for row in rows]


def _line(row: tuple[str, ...], wide: int) -> str:
    cells = (cell.rjust(width) for cell, width in zip(row[1:], WIDTHS, strict=True))
    return f"{row[0]:<{wide}}  {' '.join(cells)}"


def _zone() -> str:
    """As Postgres names it: an offset is turned round there (POSIX)."""
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes >= 0 else "+"
    return f"<local>{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
