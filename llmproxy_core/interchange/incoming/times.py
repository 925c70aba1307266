"""When an exchange of a file took place, in ns since 1970."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmproxy_core.interchange.incoming.recording import Recording
from llmproxy_core.model import header

SECOND = 10**9
EARLIEST = 1_262_304_000 * SECOND  # 2010
HEAD = 4096
CREATED = re.compile(
    rb'"created(?:_at)?"\s*:\s*(?:"(\d{4}-\d\d-\d\dT\d\d:\d\d[^"]{0,24})"|(\d{10})(?![\d]))'
)
FRACTION = re.compile(r"\.(\d{6})\d+")


def iso(text: str) -> int:
    """`2026-11-01T12:00:00.123Z`; without a zone it is UTC. 0 if it is no time."""
    try:
        when = datetime.fromisoformat(FRACTION.sub(r".\1", text))
    except ValueError:
        return 0
    return _ns(when if when.tzinfo else when.replace(tzinfo=UTC))


def told(recording: Recording, now: int) -> int:
    """When it took place, as far as the file tells: its own time, a header, the answer. Else 0."""
    for at in _candidates(recording):
        if EARLIEST <= at <= now:
            return at
    return 0


def _candidates(recording: Recording) -> Iterator[int]:
    yield recording.at
    yield _http_date(header(recording.response_headers, "date"))
    yield _compact(header(recording.request_headers, "x-amz-date"))
    yield _created(recording.response_body or b"")


def _http_date(value: str | None) -> int:
    try:
        return _ns(parsedate_to_datetime(value)) if value else 0
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0


def _compact(value: str | None) -> int:
    """`20260131T235959Z`, as Amazon signs it."""
    try:
        return _ns(datetime.strptime(value, "%Y%m%dT%H%M%S%z")) if value else 0
    except ValueError:
        return 0


def _created(body: bytes) -> int:
    """What OpenAI, Ollama and others write at the beginning of an answer."""
    found = CREATED.search(body, 0, HEAD)
    if not found:
        return 0
    return iso(found[1].decode("ascii", "replace")) if found[1] else int(found[2]) * SECOND


def _ns(when: datetime) -> int:
    try:
        seconds = int((when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except OverflowError:
        return 0
    return seconds * SECOND + when.microsecond * 1000
