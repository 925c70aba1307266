"""What of a request's body is needed once its call is over: what was asked for, and which tools.

The body itself is not kept so long. Of JSON only the fields that matter are kept, and read if they are
asked for; values of others are skipped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llmproxy_core.hashing import checksum
from llmproxy_core.model import Headers, Json, header
from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.formats import read_body
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.success.demands import CONFIGS, WRAPPERS

TOOLS = ("tools", "functions", "toolConfig", "tool_config")
FORMS = (
    "response_format",
    "text",
    "output_config",
    "output_format",
    "outputConfig",
    "format",
    *CONFIGS,
)
READ = frozenset((*FORMS, *TOOLS))
MESSAGES = "messages"
FLAGS = (b'"is_error"', b'"toolResult"')
"""In messages that may say that a tool has failed."""
NEWEST = 64
"""Messages at the end among which that is looked for."""
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


class Fields(Mapping[str, Any]):
    """Of a body those fields that may be asked for; each is read when it is."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: Mapping[str, bytes]) -> None:
        self._raw = raw
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = _read(name, self._raw[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._raw else default


@dataclass(frozen=True, slots=True)
class Demanded:
    """`body`: as `success.call.Call` has it, without what it does not need. `tools_key`: hash of the
    tools as they were sent, 0: none. `tools`: as `Versions` reads them; None: `known` has them."""

    body: Mapping[str, Any] = field(default_factory=dict)
    tools_key: int = 0
    tools: str | None = None


NOTHING = Demanded()


def demanded(wire: str, headers: Headers, body: bytes, known: Callable[[int], bool]) -> Demanded:
    """`known`: need the tools with this key not be read? Raises nothing."""
    if not body:
        return NOTHING
    if header(headers, "content-encoding"):
        body, _ = decode_body(headers, body)
    if wire not in FRAMED:
        try:
            return _of_fields(wire, _FIELDS.decode(body), body, known)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            pass
    return _of_all(wire, body, known)


def _of_fields(
    wire: str, fields: dict[str, msgspec.Raw], body: bytes, known: Callable[[int], bool]
) -> Demanded:
    if any(bytes(fields[name])[:1] == b"{" for name in WRAPPERS if name in fields):
        return _of_all(wire, body, known)
    found = {name: bytes(fields[name]) for name in fields.keys() & READ}
    tools = [found[name] for name in TOOLS if name in found]
    if "input" in fields and b'"tools"' in (said := bytes(fields["input"])):
        tools.append(said)
        found["input"] = said
    if "messages" in fields and any(flag in body for flag in FLAGS):
        found[MESSAGES] = bytes(fields[MESSAGES])
    return _with_tools(wire, Fields(found), tools, body, known)


def _of_all(wire: str, body: bytes, known: Callable[[int], bool]) -> Demanded:
    found, _ = read_body(wire, [], body)
    return _with_tools(wire, found, [body] if b'"tools"' in body else [], body, known)


def _with_tools(
    wire: str,
    found: Mapping[str, Any],
    raw: list[bytes],
    body: bytes,
    known: Callable[[int], bool],
) -> Demanded:
    key = checksum(b"\n".join(raw)) if raw else 0
    if not key or known(key):
        return Demanded(found, key, None)
    return Demanded(found, key, "\n".join(tool_lines(wire, body)))


def _read(name: str, raw: bytes) -> Json:
    """None for what is no JSON after all."""
    try:
        if name != MESSAGES:
            found: Json = msgspec.json.decode(raw)
            return found
        return [msgspec.json.decode(one) for one in _ITEMS.decode(raw)[-NEWEST:]]
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
