"""`llmproxy limits`: how far limits and budgets are used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.surroundings import print_json, settings, warn

if TYPE_CHECKING:
    from llmproxy_core.limits import Level

HEADING = "limit", "whose", "counts", "used", "of", "full"
COUNTS = {
    "requests": "requests at once",
    "tokens": "tokens, last minute",
    "usd": "USD, today (UTC)",
    "concurrent": "calls under way",
}


def limits(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """How far the limits of mitm.toml are used up, as the proxies of this home tell it once a
    second; the fullest first, 200 at most. What was set aside for calls under way counts.

    \b
    Example:
      llmproxy limits
      llmproxy limits --json | jq 'select(.used > 0.8 * .allowed)'
    """
    from llmproxy_core.errors import ProxyDown
    from llmproxy_core.metering import levels

    config, home = settings()
    if not config.limits:
        warn("there are no [[limits]] in mitm.toml; docs/limits.md tells what they can say")
        return
    found = levels.read(home)
    if found is None:
        raise ProxyDown("no proxy of this home is running; it is proxies that tell the levels")
    if as_json:
        for level in found:
            print_json(level, indent=False)
    elif not found:
        typer.echo("no limit has counted anything since the proxy was started")
    else:
        for line in aligned([HEADING, *map(_row, found)]):
            typer.echo(line)


def _row(level: Level) -> tuple[str, ...]:
    from llmproxy_core.tui import plain

    full = f"{100 * level.used / level.allowed:.0f} %"
    used, allowed = _number(level.used), _number(level.allowed)
    return level.limit, plain.line(level.whose), COUNTS[level.kind], used, allowed, full


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
