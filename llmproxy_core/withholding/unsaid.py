"""What readers find in a skeleton, with nothing in place of the blanks that stand for texts."""

from collections.abc import Iterable
from typing import Final

from llmproxy_core.model import Part, Request, Response

SKELETON: Final = "skeleton"
"""`body_kept` of a body without its texts, see `records.BodyKept`."""

SIZE = "0 bytes"
"""What readers say of a picture or a sound that is not there."""


def request(read: Request, kept: str) -> Request:
    """The same request, as it is to be shown."""
    if kept == SKELETON:
        _clear(read.system)
        for message in read.messages:
            _clear(message.parts)
    return read


def response(read: Response, kept: str) -> Response:
    if kept == SKELETON:
        read.texts = [_unsaid(text) for text in read.texts]
        read.reasoning = _unsaid(read.reasoning)
        read.refusal = None if read.refusal is None else _unsaid(read.refusal)
        for call in read.tool_calls:
            call.arguments = _unsaid(call.arguments)
        _clear(read.parts)
    return read


def _clear(parts: Iterable[Part]) -> None:
    for part in parts:
        part.text = _unsaid(part.text).removesuffix(SIZE).removesuffix(", ")


def _unsaid(text: str) -> str:
    return text if text.strip() else ""
