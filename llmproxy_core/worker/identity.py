"""Ids made from what they stand for, so that a worker that starts again makes the same ones."""

from hashlib import blake2b
from uuid import UUID


def named(*parts: object) -> UUID:
    """The same id for the same parts; the kind is uuidv8, made of a hash."""
    digest = bytearray(_digest(parts))
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def dated(at: int, *parts: object) -> UUID:
    """Like `named`, but a uuidv7 of the time `at` (ns since 1970): sorts among ids made then."""
    digest = bytearray((at // 10**6).to_bytes(8)[2:] + _digest(parts)[6:])
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def _digest(parts: tuple[object, ...]) -> bytes:
    text = "\0".join(f"{len(str(part))}:{part}" for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
