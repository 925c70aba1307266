"""What a wire format must be able to do. One file each; `formats.py` is the register of them."""

from collections.abc import Mapping
from typing import Any, Protocol

from llmproxy_core.model import Request
from llmproxy_core.providers.assembler import Assembler

type Body = Mapping[str, Any]
"""A parsed JSON object of others: anything may be anywhere in it."""


class Format(Protocol):
    """Stateless: all state of an answer is in the Assembler. Raises on nothing."""

    def request(self, body: Body, path: str) -> Request:
        """Read a request. `path` as on the wire: Google puts the model there."""

    def answer(self, body: Body, into: Assembler) -> None:
        """Read an answer that came whole."""

    def event(self, name: str, event: Body, into: Assembler) -> None:
        """Read one event of a stream. `name` is that of the SSE event, often empty."""


MOST_TOKENS = 10**10
"""What nobody can have used in one call; sums of such numbers would not fit the store."""


MOST_ITEMS = 500_000
"""Messages, tools, choices that are read of one list: 32 MB of `{},` are ten million of them."""


def count(value: Any) -> int | None:
    """A number of tokens, or None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < MOST_TOKENS else None


def total(*values: int | None) -> int | None:
    """The sum of those that were told; None if none was."""
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def items(value: Any) -> list[Body]:
    """The objects of a list, MOST_ITEMS of it at most; an empty list for anything else."""
    if not isinstance(value, list):
        return []
    return [item for item in value[:MOST_ITEMS] if isinstance(item, dict)]


def attachment(url: str = "", mime: str = "", size: int = 0) -> str:
    """A few words for what is not text: type, address or size (base64 characters)."""
    if url.startswith("data:"):
        mime, size, url = url[5:60].partition(";")[0], len(url), ""
    words = [mime, url[:300], f"{size * 3 // 4} bytes" if size else ""]
    return ", ".join(word for word in words if word)


def deployment(path: str) -> str | None:
    """Azure names the model in the path: /openai/deployments/NAME/chat/completions."""
    rest = path.partition("/deployments/")[2]
    return rest.partition("/")[0] or None
