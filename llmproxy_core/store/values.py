"""Values as Postgres takes them: text without NUL and lone surrogates, JSON, bodies, hashes."""

import json
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
import zstandard

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ZSTD = "zstd"
START_LENGTH = 120


def clean(text: str) -> str:
    """Text that Postgres can store: NUL and lone surrogates become U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "�") if "\x00" in text else text
    return UNSTORABLE.sub("�", text)


def clean_or_none(text: str | None) -> str | None:
    return None if text is None else clean(text)


def clean_all(texts: Iterable[str]) -> list[str]:
    return [clean(text) for text in texts]


def dump_jsonb(value: Any) -> bytes:
    """JSON that the type jsonb takes, cleaned as text is."""
    try:
        dumped = orjson.dumps(value)
        if b"\\u0000" not in dumped:
            return dumped
    except orjson.JSONEncodeError:
        pass  # lone surrogates, integers over 64 bits, depth: the slow way takes them
    return json.dumps(cleaned(value), ensure_ascii=False).encode()


def json_text(value: Any) -> str:
    """As jsonb takes it."""
    return dump_jsonb(value).decode()


def dump_json(value: Any) -> bytes:
    """JSON for the type json, which keeps the text: every escape is kept as one."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def load_json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)  # escapes of lone surrogates, integers over 64 bits


def unpack(encoding: str | None, stored: bytes | None) -> bytes:
    """A body as it was stored before there were documents."""
    stored = stored or b""
    return zstandard.ZstdDecompressor().decompress(stored) if encoding == ZSTD else stored


def hash_id(digest: bytes) -> UUID:
    return UUID(bytes=digest)


def hash_id_or_none(digest: bytes | None) -> UUID | None:
    return None if digest is None else UUID(bytes=digest)


def one_line(text: str) -> str:
    """The start of a text in one line."""
    return " ".join(text[: START_LENGTH * 4].split())[:START_LENGTH]


def cleaned(value: Any) -> Any:
    """JSON with all of its texts cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
