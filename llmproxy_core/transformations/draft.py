"""A request while operations change it."""

from llmproxy_core.model import Headers
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.dialects.registry import dialect_of
from llmproxy_core.transformations.document import Document, each
from llmproxy_core.transformations.nodes import Node

WHOLE = ((),)
"""The body is one request."""


class Draft:
    """`body`: without content codings, or a frame of a WebSocket's client. It is read when an
    operation looks at it. `fields`: of the body, if they are known. `notes`: what people should
    know of what was done."""

    __slots__ = (
        *("_dialect", "_document", "_fields", "_signed"),
        *("body", "headers", "notes", "path", "wire"),
    )

    def __init__(
        self,
        wire: str,
        path: str,
        headers: Headers,
        body: bytes,
        *,
        signed: bool = False,
        fields: Fields | None = None,
    ) -> None:
        self.wire = wire
        self.path = path
        self.headers = headers
        self.body = body
        self.notes: list[str] = []
        self._signed = signed
        self._fields = fields
        self._document: Document | None = None
        self._dialect: Dialect | None = None

    @property
    def document(self) -> Document:
        """Raises Cannot."""
        if self._document is None:
            if self._signed:
                raise Cannot("signed", "the client has signed the request")
            self._document = Document(self.body, self._fields)
        return self._document

    @property
    def changed(self) -> Document | None:
        """What was read, if anything was."""
        return self._document

    @property
    def root(self) -> Node:
        return self.document.root

    @property
    def dialect(self) -> Dialect:
        if self._dialect is None:
            self._dialect = dialect_of(self.wire, self.root)
        return self._dialect

    def holders(self) -> list[Node]:
        """The objects that are requests. None in a frame that is about something else; elsewhere
        raises Cannot."""
        root = self.root
        if self.dialect.holders == WHOLE:
            return [root]
        found = [one for path in self.dialect.holders for one in each(root, path)]
        found = [one for one in found if one.kind == "object"]
        if not found and self.wire not in FRAMED:
            raise Cannot("elsewhere", f"no request of {self.wire} in the body")
        return found

    def lacks(self, what: str) -> None:
        """Raises Cannot, but for a frame that is about something else."""
        if not self.dialect.partial:
            raise Cannot("elsewhere", f"{self.dialect.name} has no {what}")
