"""Is a JSON value what a type of an SDK allows? Stricter than the SDKs, which check nothing: no key
that a `TypedDict` does not have."""

import collections.abc
import types
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_typeddict

MANY = (list, collections.abc.Iterable, collections.abc.Sequence, collections.abc.Collection)
WITHIN = (Annotated, Required, NotRequired)


@cache
def _keys(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def fault(value: Any, kind: Any, place: str = "") -> str:
    """Where it is not, and why not; "": it is."""
    origin = get_origin(kind)
    if isinstance(kind, TypeAliasType):
        return fault(value, kind.__value__, place)
    if origin in WITHIN:
        return fault(value, get_args(kind)[0], place)
    if origin in (Union, types.UnionType):
        faults = [fault(value, one, place) for one in get_args(kind)]
        return "" if "" in faults else max(faults, key=lambda one: one.count("/"))
    if origin is Literal:
        return "" if value in get_args(kind) else f"{place}: {value!r} is not of {get_args(kind)}"
    if is_typeddict(kind):
        return _object(value, kind, place)
    if origin in MANY:
        if not isinstance(value, list):
            return f"{place}: no list"
        faults = [fault(one, get_args(kind)[0], f"{place}/{n}") for n, one in enumerate(value)]
        return next(filter(None, faults), "")
    if origin is dict:
        named = value.items() if isinstance(value, dict) else [("", None)]
        faults = [fault(one, get_args(kind)[1], f"{place}/{key}") for key, one in named]
        return next(filter(None, faults), "")
    return _plain(value, kind, place)


def _object(value: Any, kind: Any, place: str) -> str:
    if not isinstance(value, dict):
        return f"{place}: no object"
    keys = _keys(kind)
    for key in value:
        if key not in keys:
            return f"{place}/{key}: {kind.__name__} has no such key"
    for key in kind.__required_keys__:
        if key not in value:
            return f"{place}: {kind.__name__} without {key}"
    return next(filter(None, (fault(value[key], keys[key], f"{place}/{key}") for key in value)), "")


def _plain(value: Any, kind: Any, place: str) -> str:
    if kind in (Any, object):
        return ""
    if kind is None or kind is type(None):
        return "" if value is None else f"{place}: not null"
    wanted = (int, float) if kind is float else kind
    if isinstance(value, wanted) and not (isinstance(value, bool) and kind is not bool):
        return ""
    return f"{place}: {value!r} is no {kind}"
