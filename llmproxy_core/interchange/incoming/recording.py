"""One exchange as a file tells it, whatever the format of the file."""

from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.model import Headers


@dataclass(slots=True)
class Recording:
    """`place` says where in the file it stands, for people: `line 12`, `entry 3`.

    Times are ns since 1970, 0 where the file has none. `wire` and `provider` are what the file
    itself says, in its own words. A body is None where the file does not have it; `*_bytes` is how
    large it was where the file has only a part of it. Headers may hold credentials: a recording is
    never written, see `exchange.py`.
    """

    place: str
    url: str
    method: str = "POST"
    external_id: str | None = None
    id: UUID | None = None
    """The id it has in the store from which the file was exported."""
    at: int = 0
    first_at: int = 0
    """The first byte of the answer's body."""
    first_token_at: int = 0
    ended_at: int = 0
    client: str = "import"
    other_hosts: list[str] = field(default_factory=list)
    """Names of the host beside that of the URL: the address connected to, SNI."""
    wire: str = ""
    provider: str = ""
    http_version: str = "HTTP/1.1"
    request_headers: Headers = field(default_factory=list)
    request_body: bytes | None = b""
    request_bytes: int | None = None
    status: int = 0
    """0: there was no answer."""
    reason: str = ""
    response_headers: Headers = field(default_factory=list)
    response_body: bytes | None = b""
    response_bytes: int | None = None
    trailers: Headers = field(default_factory=list)
    ending: str = ""
    """How it ended, one of `records.Ending`; empty: well, if there was an answer."""
    error: str | None = None
    """Why it did not end well, in the words of the file."""
    prefix: str = ""
    """What the names of its tools have before them that the client's have not."""
    shortened: dict[str, str] = field(default_factory=dict)
    """Of those, what was too long: as sent -> the client's."""
    left_alone: str = ""


@dataclass(slots=True)
class Skipped:
    """A part of a file that gives no recording. `damaged`: it should have."""

    place: str
    reason: str
    damaged: bool = True
