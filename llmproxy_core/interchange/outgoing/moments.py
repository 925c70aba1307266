"""Times as a person writes them: `7d` ago, a day, an exact time."""

import re
from datetime import UTC, datetime, timedelta

from llmproxy_core.errors import InterchangeError

AGO = re.compile(r"(\d{1,6})\s?([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read(text: str, now: datetime) -> datetime:
    """`90m`, `7d`, `2w` before `now`; `2026-11-01` (its first moment) or `2026-11-01T12:00:00+01:00`.

    What names no zone is local time. Raises InterchangeError.
    """
    text = text.strip()
    if found := AGO.fullmatch(text):
        try:
            return now - timedelta(**{UNITS[found[2]]: int(found[1])})
        except OverflowError:
            return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        when = datetime.fromisoformat(text)
        return max(when.astimezone(UTC), datetime(1970, 1, 1, tzinfo=UTC))
    except (ValueError, OverflowError):
        raise InterchangeError(
            f"{text[:50]!r}: not a time; write 7d, 90m, 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None
