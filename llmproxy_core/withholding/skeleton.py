"""What is left of a body without any text: who spoke, which tools there are, counts and reasons.

It is of the same wire format, so that readers find in it what they find in the whole. A text is a
run of blanks, about as many as it takes tokens to write, in steps of QUANTUM: so what a call cost
can be estimated as ever, and no word can be told by its length. An error says NOT_KEPT in place of
its message.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from llmproxy_core.model import mapping, text_of
from llmproxy_core.providers.formats import FORMATS
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.settings import HINTS
from llmproxy_core.withholding import vocabulary as words
from llmproxy_core.withholding.remains import (
    DEEPEST,
    SCALARS,
    bare,
    counts,
    dumps,
    is_key,
    metadata,
    size,
    vector,
    vectors,
    word,
)

NOT_KEPT = "not kept (capture = metadata)"
QUANTUM = 32
SHORT = 64
"""Characters of a piece of a text: their lengths are added up before they are told."""
RAW = frozenset({"model", "id", "object", "type", "stream", "usage", "metadata", *HINTS})
"""What is kept of formats that nobody reads in full."""


class Skeleton:
    """Of the bodies of one call. Raises nothing."""

    def __init__(self, wire: str) -> None:
        self._known = wire in FORMATS
        self._lengths: dict[str, tuple[float, int]] = {}
        """By key: of the pieces so far, how long they were, and how many blanks they became."""
        self._failed = False

    def of(self, value: Any, *, failed: bool = False) -> Any:
        """Of a parsed body or event. `failed`: it is an error, by the status of its answer."""
        self._failed = failed
        if isinstance(value, list):
            return self._list(value, "", 0)
        if not isinstance(value, dict):
            return None
        if not self._known and not failed:
            value = {key: one for key, one in value.items() if key in RAW}
        return self._object(value, "", 0)

    def blank(self, text: str) -> str:
        """Of a body that is nothing but a text."""
        return self._blank(text, "")

    def _object(self, fields: Mapping[str, Any], above: str, depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            return {}
        kept = {}
        numbers = not above or above in words.CONFIGS
        for key, value in fields.items():
            if isinstance(value, SCALARS) or value is None:
                if (key in words.NUMBERS or numbers or key in words.WORDS) and is_key(key):
                    kept[key] = value
                continue
            found = self._member(key, value, fields, above, depth)
            if found is not None:
                kept[key] = found
        return kept

    def _member(
        self, key: str, value: Any, fields: Mapping[str, Any], above: str, depth: int
    ) -> Any:
        """None: it is not written."""
        if key in CONTEXTS:
            return CONTEXTS[key](self, value, fields, above, depth)
        if self._fails(fields, above) and key in words.SAID_IN_ERRORS:
            return self._error(value, fields, above, depth)
        if key in words.WORDS:
            return self._word(value, key, depth)
        if key in words.TEXTS or key.endswith("Params"):
            return self._text(value, key, depth)
        if key in words.COUNTS:
            return counts(value, depth)
        if key in words.BLOBS:
            return " " if isinstance(value, str) else self._text(value, key, depth)
        return bare(value) if key in words.BARE else None

    def _word(self, value: Any, key: str, depth: int) -> Any:
        if isinstance(value, str):
            return word(value)
        if isinstance(value, list):
            return [one for one in value if isinstance(one, str) and words.WORD.fullmatch(one)]
        return self._object(value, key, depth + 1)

    def _text(self, value: Any, key: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._blank(value, key)
        if isinstance(value, list):
            return self._list(value, key, depth)
        return self._object(value, key, depth + 1) if isinstance(value, dict) else None

    def _list(self, value: list[Any], key: str, depth: int) -> list[Any]:
        """Numbers in a list are a text, too: tokens, vectors."""
        if depth > DEEPEST:
            return []
        kept: list[Any] = []
        for one in value:
            if isinstance(one, dict):
                kept.append(self._object(one, key, depth + 1))
            elif isinstance(one, list):
                kept.append(self._list(one, key, depth + 1))
            elif isinstance(one, str):
                kept.append(self._blank(one, key))
        return kept

    def _blank(self, text: str, key: str) -> str:
        if not text:
            return ""
        long = size(text)
        if len(text) > SHORT:
            return " " * max(1, round(long / QUANTUM) * QUANTUM)
        total, told = self._lengths.get(key, (0.0, 0))
        total += long
        blanks = max(1, int(total // QUANTUM) * QUANTUM - told)
        self._lengths[key] = (total, told + blanks)
        return " " * blanks

    def _fails(self, fields: Mapping[str, Any], above: str) -> bool:
        if above in words.ERRORS:
            return True
        told = fields.get("type") == "error" or fields.get("object") == "error"
        return not above and (self._failed or told)

    def _error(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """It says which kind of error it is."""
        if not isinstance(value, dict) or not value:
            return NOT_KEPT if value else None
        return self._object(value, "error", depth + 1) or NOT_KEPT

    def _role(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        return value if text_of(value).lower() in words.ROLES else None

    def _name(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        of_tool = above in words.NAMED or fields.get("role") in ("tool", "function")
        of_tool = of_tool or words.CALLED.fullmatch(text_of(fields.get("type"))) is not None
        of_batch = words.BATCH.fullmatch(text_of(value)) is not None
        return word(value) if of_tool or of_batch else None

    def _code(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        return word(value) if self._fails(fields, above) else self._text(value, "code", depth)

    def _reason(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        return word(value) if above in words.REASONS else None

    def _input(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """Arguments of a tool, unless it is what a request asks about."""
        asks = isinstance(value, dict) and ("converse" in value or "invokeModel" in value)
        if isinstance(value, dict) and not (asks and not above):
            return {}
        return self._text(value, "input", depth)

    def _arguments(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        return self._blank(value, "arguments") if isinstance(value, str) else bare(value)

    def _invoked(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """Of Bedrock: a body, or a piece of one, in base64."""
        if isinstance(value, dict):
            return {"body": self._packed(value.get("body"))} if "body" in value else {}
        return self._packed(value)

    def _packed(self, value: Any) -> str:
        try:
            inner, _ = parse(b64decode(text_of(value)))
        except (binascii.Error, ValueError):
            return ""
        return b64encode(dumps(self._object(mapping(inner), "", 1))).decode()

    def _parameters(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        if above or not isinstance(value, dict):
            return bare(value)
        return self._object(value, "parameters", depth + 1)

    def _response(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """Of a tool, or of the model."""
        of_tool = above.startswith(("function", "tool"))
        return bare(value) if of_tool else self._text(value, "response", depth)

    def _output(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """What a tool gave back may be any object."""
        of_tool = isinstance(value, dict) and bool(above) and above != "response"
        return {} if of_tool else self._text(value, "output", depth)

    def _data(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        if isinstance(value, list):
            return self._list(value, "data", depth)
        return " " if isinstance(value, str) else {}

    def _mute(self, value: Any, fields: Mapping[str, Any], above: str, depth: int) -> Any:
        """How many there are; and, of Vertex, their texts."""
        if not isinstance(value, list):
            return bare(value)
        return [self._muted(one) for one in value]

    def _muted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._blank(value, "document")
        texts = {key: one for key, one in mapping(value).items() if key in words.TEXTS}
        kept = {key: self._blank(one, key) for key, one in texts.items() if isinstance(one, str)}
        found = {
            key: counts(one, 1) if isinstance(one, dict) else bare(one)
            for key, one in mapping(value).items()
            if key.lower().endswith(("embedding", "embeddings")) and is_key(key)
        }
        return kept | found


CONTEXTS: dict[str, Callable[[Skeleton, Any, Mapping[str, Any], str, int], Any]] = {
    "role": Skeleton._role,
    "name": Skeleton._name,
    "code": Skeleton._code,
    "reason": Skeleton._reason,
    "arguments": Skeleton._arguments,
    "input": Skeleton._input,
    "invokeModel": Skeleton._invoked,
    "bytes": Skeleton._invoked,
    "output": Skeleton._output,
    "parameters": Skeleton._parameters,
    "response": Skeleton._response,
    "data": Skeleton._data,
    "embedding": lambda _, value, *__: vector(value),
    "embeddings": lambda _, value, *__: vectors(value),
    "metadata": lambda _, value, *__: metadata(value),
    "client_metadata": lambda _, value, *__: metadata(value),
    "requestMetadata": lambda _, value, *__: metadata(value),
    "error": Skeleton._error,
} | dict.fromkeys(words.MUTE, Skeleton._mute)
"""Members that are told by what they stand in."""
