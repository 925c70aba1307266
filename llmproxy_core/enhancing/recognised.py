"""The patterns of one namespace, as far as a proxy recognises them.

In the rulebook: `{"signatures": {...}, "named": {ID: [NAME, TYPE]}, "merged": {ID: HEIR}, "outlines": {"system": {HEX: ID},
"tools": {HEX: ID}}}`; each of them may be missing. `signatures`: see `patterns.signatures`;
`outlines`: see `patterns.versions`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.namespace.opening import NESTED, OFFERS
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.patterns.signatures import Signatures
from llmproxy_core.spans.recent import Recent

KNOWN = 2048
"""System prompts and tool sets whose pattern is known without reading them."""
LONGEST = 2**20
"""Bytes of a tool set that is read."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Ids of those that a conversation began with; "": none is known."""

    user: str = ""
    system: str = ""
    tools: str = ""


NONE = Patterns()


class Recognised:
    """Never changes but for what it remembers."""

    def __init__(
        self,
        signatures: Signatures,
        named: Mapping[str, tuple[str, str]],
        outlines: Mapping[str, Mapping[int, str]],
        merged: Mapping[str, str] | None = None,
    ) -> None:
        self._signatures = signatures
        self._named = named
        self._outlines = outlines
        self._known: Recent[bytes, str] = Recent(KNOWN)
        if outlines:  # while files are read: later a request would wait for it
            importlib.import_module("llmproxy_core.patterns.outlines")
        self.kinds = {id: kind for kind, known in outlines.items() for id in known.values()}
        """The kind of each pattern that has versions."""
        self.merged = merged or {}
        """Patterns that are no more, and what they were merged into: rules may still name them."""

    @classmethod
    def of(cls, value: Any) -> "Recognised":
        """From JSON. Raises ValueError: what is wrong with it."""
        try:
            signatures = value.get("signatures")
            made = Signatures.from_json(signatures) if signatures else Signatures({})
            named = {id: (str(told[0]), str(told[1])) for id, told in _table(value, "named")}
            outlines = {
                kind: {int(outline, 16): str(id) for outline, id in known.items()}
                for kind, known in _table(value, "outlines")
            }
            merged = {str(id): str(heir) for id, heir in _table(value, "merged")}
        except (AttributeError, TypeError, LookupError, ValueError, RecursionError) as exc:
            raise ValueError(f"patterns that cannot be read: {exc!r}") from exc
        return cls(made, named, outlines, merged)

    def user(self, text: str) -> str:
        return (self._signatures.match("user", text) or "") if text else ""

    def system(self, text: str) -> str:
        if not text or not self._outlines.get("system"):
            return ""
        key = content_hash(b"system\0" + text.encode("utf-8", "surrogatepass"))
        found = self._known.get(key)
        if found is None:
            from llmproxy_core.patterns.outlines import system_outline

            found = self._known[key] = self._of("system", system_outline(text))
        return found

    def tools(self, wire: str, fields: Fields, body: bytes) -> str:
        """Of those that a request offers; `fields`: of its `body`."""
        if not self._outlines.get("tools"):
            return ""
        offered = _offered(wire, fields, body)
        if not offered or len(offered) > LONGEST:
            return ""
        key = content_hash(wire.encode() + b"\0" + offered)
        found = self._known.get(key)
        if found is None:
            from llmproxy_core.patterns.outlines import tools_outline

            found = self._known[key] = self._of("tools", tools_outline(wire, offered))
        return found

    def now(self, id: str) -> str:
        """What a pattern has become."""
        seen = {id}
        while (heir := self.merged.get(id)) is not None and heir not in seen:
            seen.add(heir)
            id = heir
        return id

    def facts(self, patterns: Patterns) -> dict[str, Any]:
        """By the names of `expressions.triggers`."""
        name, type = self._named.get(patterns.user, (None, None))
        return {
            "pattern.id": patterns.user or None,
            "pattern.name": name or None,
            "pattern.type": type or None,
            "pattern.system": patterns.system or None,
            "pattern.tools": patterns.tools or None,
        }

    def _of(self, kind: str, outline: int | None) -> str:
        return self._outlines[kind].get(outline, "") if outline is not None else ""


NOBODY = Recognised(Signatures({}), {}, {})


def _table(value: Any, key: str) -> Any:
    return value.get(key, {}).items()


def _offered(wire: str, fields: Fields, body: bytes) -> bytes:
    """The tools of a request, as the body of one that has nothing else."""
    parts = [b'"%b":%b' % (key.encode(), bytes(fields[key])) for key in OFFERS & fields.keys()]
    if parts:
        return b"{" + b",".join(sorted(parts)) + b"}"
    said = fields.get("input")
    return body if said is not None and NESTED in bytes(memoryview(said)[:1024]) else b""
