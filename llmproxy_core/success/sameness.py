"""When two JSON values are the same: 1 is 1.0, and true is neither."""

from typing import Any

MOST = 10_000
"""Elements of a list of which it is told whether they are distinct."""


def same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def size(value: Any, most: int) -> int:
    """How many values there are in a value, itself included; not counted on beyond `most`."""
    found = 1
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for inner in inside:
        if found > most:
            break
        found += size(inner, most - found)
    return found


def distinct(values: list[Any]) -> bool:
    """Are no two the same? Yes for lists that are too long to be looked at."""
    if len(values) > MOST:
        return True
    return len({_key(value) for value in values}) == len(values)


def _key(value: Any) -> Any:
    """Equal for what is the same, and hashable."""
    if isinstance(value, dict):
        return ("object", frozenset((name, _key(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return ("array", *map(_key, value))
    return ("boolean", value) if isinstance(value, bool) else value
