"""Nanoseconds since 1970, as records have them, and datetimes, as rows have them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Cut to microseconds: Postgres keeps no more."""
    return EPOCH + timedelta(microseconds=at // 1000)


def nanoseconds(when: datetime) -> int:
    return (when - EPOCH) // MICROSECOND * 1000


def milliseconds(begin: int, end: int) -> float:
    """From one to the other; never negative, though clocks may be set back."""
    return max(0, end - begin) / 10**6
