"""The exact edit of an enhancement: a list of operations, as `[[transformations]]` spells them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from llmproxy_core.model import Json

type Operation = Mapping[str, Json]
"""`{"op": "append_system", "text": "…"}`: the keys are those of a transformation's `logic`."""

MOST_OPERATIONS = 8
LARGEST = 16_000
"""Characters of an edit as JSON; each call of the pattern would carry them."""


def written(operations: Iterable[Operation]) -> str:
    """The edit as JSON: the same operations give the same text, whatever the order of their keys."""
    return json.dumps([dict(one) for one in operations], sort_keys=True, ensure_ascii=False)


def digest(operations: Iterable[Operation]) -> str:
    """By which an edit that was tried before is known again."""
    return blake2b(written(operations).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def size_fault(operations: Sequence[Operation]) -> str | None:
    """Why nobody should keep such an edit; None: it has a fair size."""
    if not operations:
        return "the edit has no operation"
    if len(operations) > MOST_OPERATIONS:
        return f"{len(operations)} operations; {MOST_OPERATIONS} at most"
    if (size := len(written(operations))) > LARGEST:
        return f"the edit has {size} characters as JSON; {LARGEST} at most"
    return None
