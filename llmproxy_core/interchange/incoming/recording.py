"""One exchange as a file tells it, whatever the format of the file."""

from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.model import Headers


@dataclass(slots=True)
class Recording:
    """`place` says where in the file it stands, for people: `line 12`, `entry 3`.

    Times are ns since 1970, 0 where the file has none. `wire` and `provider` are what the file
    itself says, in its own words. `request_body` None: the file does not have it. Headers may hold
    credentials: a recording is never written, see `journal.py`.
    """

    place: str
    url: str
    method: str = "POST"
    external_id: str | None = None
    id: UUID | None = None
    """The id it has in the store from which the file was exported."""
    at: int = 0
    first_at: int = 0
    ended_at: int = 0
    client: str = "import"
    namespace: str = "default"
    wire: str = ""
    provider: str = ""
    http_version: str = "HTTP/1.1"
    request_headers: Headers = field(default_factory=list)
    request_body: bytes | None = b""
    status: int = 0
    """0: there was no answer."""
    reason: str = ""
    response_headers: Headers = field(default_factory=list)
    response_body: bytes | None = b""
    trailers: Headers = field(default_factory=list)
    error: str | None = None
    """Why the exchange did not come to its end, in the words of the file."""

    @property
    def declared(self) -> bool:
        """Does the file say that this is an LLM call?"""
        return bool(self.wire)


@dataclass(slots=True)
class Skipped:
    """A part of a file that gives no recording. `damaged`: it should have."""

    place: str
    reason: str
    damaged: bool = True
