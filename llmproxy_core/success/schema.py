"""Does a value keep to a JSON Schema? What providers take as schemas, in bounded work.

Read: `type` (also OpenAPI's in capitals, `nullable`), `enum`, `const`, `properties`, `required`,
`additionalProperties`, `patternProperties`, `propertyNames`, `minProperties`, `maxProperties`,
`dependentRequired`, `items`, `prefixItems`, `contains`, `minItems`, `maxItems`, `uniqueItems`,
`minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minLength`,
`maxLength`, `pattern` (as RE2 reads it), `allOf`, `anyOf`, `oneOf`, `not`, `if`, and `$ref` within
the schema. All other words, `format` too, forbid nothing; nor does a schema that is none.
Source: https://json-schema.org/draft/2020-12/json-schema-validation
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from llmproxy_core.success.bounds import NUMBERS, SIZES
from llmproxy_core.success.sameness import distinct, same, size
from llmproxy_core.success.string_patterns import matches

STEPS = 30_000
"""Looks of a schema at a value, and what each of them costs; whoever needs more is not judged."""
DEEPEST = 64

type Path = tuple[str | int, ...]
type Fault = str | None


class Unjudged(Exception):
    """It takes too much work, or the schema refers to what is not in it."""


def problem(schema: Any, value: Any) -> Fault:
    """The first thing that is wrong, with its place; None if nothing is, or it cannot be told."""
    try:
        return Reading(schema).look(schema, value, ())
    except (Unjudged, RecursionError):
        return None


class Reading:
    """One value read by one schema."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = 0
        self._depth = 0

    def look(self, schema: Any, value: Any, path: Path) -> Fault:
        """Raises Unjudged."""
        self._steps += 1
        if schema is False:
            return f"{place(path)} must not be there"
        if not isinstance(schema, dict):
            return None
        self._steps += cost(schema, value)
        if self._steps > STEPS or self._depth > DEEPEST:
            raise Unjudged
        self._depth += 1
        try:
            return next(self._faults(schema, value, path), None)
        finally:
            self._depth -= 1

    def _faults(self, schema: dict[str, Any], value: Any, path: Path) -> Iterator[str]:
        if schema.get("nullable") is True and value is None:
            return
        if fault := _plain(schema, value):
            yield f"{place(path)} {fault}"
        if isinstance(ref := schema.get("$ref"), str):
            yield from _told(self.look(self._resolved(ref), value, path))
        if isinstance(value, dict):
            yield from self._object(schema, value, path)
        elif isinstance(value, list):
            yield from self._array(schema, value, path)
        yield from self._combined(schema, value, path)

    def _resolved(self, ref: str) -> Any:
        if ref != "#" and not ref.startswith("#/"):
            raise Unjudged
        found = self._root
        for name in ref.split("/")[1:]:
            key = unquote(name).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                raise Unjudged
        return found

    def _object(self, schema: dict[str, Any], value: dict[str, Any], path: Path) -> Iterator[str]:
        yield from _missing(schema, value, path)
        known = schema.get("properties")
        known = known if isinstance(known, dict) else {}
        patterns = schema.get("patternProperties")
        patterns = patterns if isinstance(patterns, dict) else {}
        for name, inner in value.items():
            here = (*path, name)
            fits = [one for pattern, one in patterns.items() if matches(pattern, name)]
            fits += [known[name]] if name in known else []
            if "propertyNames" in schema:
                yield from _told(self.look(schema["propertyNames"], name, here))
            for one in fits or [schema.get("additionalProperties", True)]:
                yield from _told(self.look(one, inner, here))

    def _array(self, schema: dict[str, Any], value: list[Any], path: Path) -> Iterator[str]:
        first, rest = schema.get("prefixItems"), schema.get("items", True)
        if isinstance(rest, list):  # before 2020
            first, rest = rest, schema.get("additionalItems", True)
        first = first if isinstance(first, list) else []
        for number, inner in enumerate(value):
            one = first[number] if number < len(first) else rest
            yield from _told(self.look(one, inner, (*path, number)))
        if schema.get("uniqueItems") is True and not distinct(value):
            yield f"{place(path)} holds the same twice"
        if "contains" in schema:
            yield from self._contains(schema, value, path)

    def _contains(self, schema: dict[str, Any], value: list[Any], path: Path) -> Iterator[str]:
        n = sum(self.look(schema["contains"], inner, path) is None for inner in value)
        if n < schema.get("minContains", 1) or n > schema.get("maxContains", n):
            yield f"{place(path)} holds {n} of what it should contain"

    def _combined(self, schema: dict[str, Any], value: Any, path: Path) -> Iterator[str]:
        for one in _list(schema, "allOf"):
            yield from _told(self.look(one, value, path))
        if options := _list(schema, "anyOf"):
            yield from self._any(options, value, path)
        if options := _list(schema, "oneOf"):
            fits = sum(self.look(one, value, path) is None for one in options)
            if fits > 1:
                yield f"{place(path)} is {fits} of the things of which it should be one"
            elif not fits:
                yield from self._any(options, value, path)
        if "not" in schema and self.look(schema["not"], value, path) is None:
            yield f"{place(path)} is what it must not be"
        if "if" in schema:
            met = self.look(schema["if"], value, path) is None
            yield from _told(self.look(schema.get("then" if met else "else"), value, path))

    def _any(self, options: list[Any], value: Any, path: Path) -> Iterator[str]:
        faults = [self.look(one, value, path) for one in options]
        if None not in faults:
            only = faults[0] if len(faults) == 1 else None
            yield only or f"{place(path)} is none of the {len(options)} things that it may be"


def cost(schema: dict[str, Any], value: Any) -> int:
    """Looks of which one look is worth as much, before it is taken."""
    found = len(_list(schema, "required"))
    if isinstance(value, str) and "pattern" in schema:
        found += len(value) // 100
    if "enum" in schema or "const" in schema or "uniqueItems" in schema:
        found += (1 + len(_list(schema, "enum"))) * size(value, STEPS)
    if isinstance(value, dict) and isinstance(patterns := schema.get("patternProperties"), dict):
        found += len(patterns) * len(value)
    return found


def place(path: Path) -> str:
    """As in JavaScript: `$.rows[2].name`."""
    words = [f"[{one}]" if isinstance(one, int) else f".{one[:60]}" for one in path]
    return "$" + "".join(words)


def _told(fault: Fault) -> Iterator[str]:
    if fault:
        yield fault


def _list(schema: dict[str, Any], key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _missing(schema: dict[str, Any], value: dict[str, Any], path: Path) -> Iterator[str]:
    wanted = [name for name in _list(schema, "required") if isinstance(name, str)]
    needs = schema.get("dependentRequired")
    for name, others in needs.items() if isinstance(needs, dict) else ():
        if name in value and isinstance(others, list):
            wanted += [other for other in others if isinstance(other, str)]
    for name in wanted:
        if name not in value:
            yield f"{place((*path, name))} is missing"


def _plain(schema: dict[str, Any], value: Any) -> Fault:
    """What is said of the value itself."""
    if fault := _kind(schema.get("type"), value):
        return fault
    options = schema.get("enum")
    if isinstance(options, list) and not any(same(one, value) for one in options):
        return f"is none of the {len(options)} values that it may have"
    if "const" in schema and not same(schema["const"], value):
        return "is not the value that it must have"
    if isinstance(value, str) and isinstance(pattern := schema.get("pattern"), str):
        return None if matches(pattern, value) else "does not fit its pattern"
    return _bounds(schema, value)


KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _kind(types: Any, value: Any) -> Fault:
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    names = [name.lower() for name in names if isinstance(name, str)]
    if not names or any(name not in KINDS or KINDS[name](value) for name in names):
        return None
    return f"is not of type {' or '.join(names)}"


def _bounds(schema: dict[str, Any], value: Any) -> Fault:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return next(
            filter(None, (NUMBERS[k](schema[k], value) for k in NUMBERS if k in schema)), None
        )
    kind = (
        "Length" if isinstance(value, str) else "Items" if isinstance(value, list) else "Properties"
    )
    for name, check in SIZES.items():
        limit = schema.get(name + kind)
        if isinstance(limit, int | float) and (fault := check(limit, len(value))):
            return fault
    return None
