"""Times as people give them: `7d` (ago), or a date."""

from datetime import UTC, datetime, timedelta

import typer

UNITS = {"h": 1, "d": 24, "w": 7 * 24}


def moment(since: str, now: datetime) -> datetime:
    """Raises BadParameter."""
    number, unit = since[:-1], since[-1:]
    if number.isascii() and number.isdigit() and len(number) < 6 and unit in UNITS:
        return now - timedelta(hours=int(number) * UNITS[unit])
    try:
        found = datetime.fromisoformat(since)
    except ValueError:
        raise typer.BadParameter(f"{since}: write 24h, 7d, 2w, or a date as 2026-05-17") from None
    return found.astimezone(UTC)
