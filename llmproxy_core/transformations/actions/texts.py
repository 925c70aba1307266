"""`replace_text`: in what one role says; never in what a provider has signed."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.sections.operation_values import pattern, pieces
from llmproxy_core.sections.operations import ReplaceText
from llmproxy_core.transformations import strings
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.draft import Draft

LARGEST = 32 * 2**20
"""Bytes that may be written in place of others."""
MOST = 5000
"""Places of a request that are changed: each costs some microseconds, while others wait."""


def hindrance(operation: ReplaceText, dialect: Dialect) -> str:
    return "" if dialect.passages is not None else f"{dialect.name} has no texts that are known"


def replacing(operation: ReplaceText) -> Action:
    found = _patterned(operation) if operation.pattern is not None else _literal(operation)

    def do(draft: Draft) -> None:
        passages = draft.dialect.passages
        room, left = LARGEST, MOST
        for holder in draft.holders():
            if passages is None:
                draft.lacks("texts that are known")
                return
            for node in [*passages(holder, operation.role)]:
                words = strings.utf8(node)
                everywhere = (one for one in found(words) if words[one[0] : one[1]] != one[2])
                changes = [*islice(everywhere, left + 1)]
                room -= sum(len(new) for _, _, new in changes)
                left -= len(changes)
                if room < 0 or left < 0:
                    said = f"more than {MOST} places would change, or more than {LARGEST} bytes"
                    raise Cannot("refused", said)
                if changes:
                    strings.rewrite(node, changes)

    return do


def _literal(operation: ReplaceText) -> Callable[[bytes], Iterator[Edit]]:
    sought, new = (operation.find or "").encode(), operation.replacement.encode()

    def found(said: bytes) -> Iterator[Edit]:
        at = said.find(sought)
        while at >= 0:
            yield at, at + len(sought), new
            at = said.find(sought, at + len(sought))

    return found


def _patterned(operation: ReplaceText) -> Callable[[bytes], Iterator[Edit]]:
    compiled = pattern(operation.pattern or "")
    parts = pieces(operation.replacement, compiled)

    def found(said: bytes) -> Iterator[Edit]:
        for match in compiled.finditer(said):
            yield *match.span(), _written(match, parts)

    return found


def _written(match: Any, parts: list[bytes | int]) -> bytes:
    return b"".join((match.group(part) or b"") if isinstance(part, int) else part for part in parts)
