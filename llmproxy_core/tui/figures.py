"""Numbers and times as short as a column needs them; what is not known is a dash."""

from datetime import datetime, tzinfo
from decimal import Decimal

SMALLEST = Decimal("0.00001")
NONE = "\u2013"


def tokens(value: int | None) -> str:
    """Up to five characters: `950`, `12.3k`, `1.20M`."""
    if value is None:
        return NONE
    if value < 10_000:
        return str(value)
    if value < 999_500:
        return f"{value / 1000:.1f}k" if value < 99_950 else f"{value / 1000:.0f}k"
    return f"{value / 1e6:.2f}M" if value < 9_995_000 else f"{value / 1e6:.0f}M"


def usd(value: Decimal | None) -> str:
    """Up to eight characters: `$0.00012`, `$0.0123`, `$12.34`, `$1,234`."""
    if value is None:
        return NONE
    if value == 0:
        return "$0"
    if value >= 100:
        return f"${value:,.0f}"
    if value >= 1:
        return f"${value:.2f}"
    if value < SMALLEST:
        return "<$.00001"
    return f"${value:.4f}" if value >= Decimal("0.001") else f"${value:.5f}"


def ms(value: float | None) -> str:
    """A duration in milliseconds, up to six characters: `85ms`, `1.24s`, `2m05s`, `1h02m`."""
    if value is None:
        return NONE
    if value < 999.5:
        return f"{value:.0f}ms"
    if value < 59_950:
        return f"{value / 1000:.2f}s" if value < 9995 else f"{value / 1000:.1f}s"
    seconds = round(value / 1000)
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"


def size(value: int | None) -> str:
    """Bytes, up to seven characters: `812 B`, `1.4 kB`, `12 MB`."""
    if value is None:
        return NONE
    if value < 1000:
        return f"{value} B"
    for unit in ("kB", "MB", "GB"):
        value_in_unit = value / 1000 ** ("kB", "MB", "GB").index(unit) / 1000
        if value_in_unit < 999.5 or unit == "GB":
            digits = 1 if value_in_unit < 9.95 else 0
            return f"{value_in_unit:.{digits}f} {unit}"
    return NONE


def clock(at: datetime, zone: tzinfo | None = None) -> str:
    """Time of day, `14:03:59`; `zone` None: where this machine is."""
    return at.astimezone(zone).strftime("%H:%M:%S")


def moment(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """`14:03:59` today, else `Nov 22 14:03`."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    return local.strftime("%H:%M:%S" if local.date() == today.date() else "%b %d %H:%M")


def when(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Up to eight characters: `14:03:59` today, `Nov 22` this year, else `Nov 2024`."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%b %d" if local.year == today.year else "%b %Y")


def ago(at: datetime, now: datetime) -> str:
    """How long ago: `now`, `12s`, `5m`, `3h`, `2d`."""
    seconds = int((now - at).total_seconds())
    if seconds < 2:
        return "now"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def rate(per_second: float) -> str:
    """Calls per second: `0`, `0.4`, `12`."""
    if per_second == 0:
        return "0"
    return f"{per_second:.1f}" if per_second < 9.95 else f"{per_second:.0f}"
