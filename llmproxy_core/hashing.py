"""Content hashes (fast, not secret) and fingerprints of credentials (keyed, one-way)."""

from hashlib import blake2b

import xxhash

type Hash = bytes
"""128 bits of xxh3; equal bodies have equal hashes. Stored as `uuid`."""

content_hash = xxhash.xxh3_128_digest
"""bytes -> Hash, about 1.5 µs per 100 KB."""

Hasher = xxhash.xxh3_128
"""Incremental: `update(bytes)`, `digest() -> Hash`."""

checksum = xxhash.xxh3_64_intdigest
"""bytes -> int of 64 bits, for the spool's records."""


def fingerprint(secret: bytes, key: bytes) -> str:
    """A name for a credential that tells nothing about it without `key` (32 bytes, from the home).

    Calls made with the same credential get the same name: 48 bits, so that a table of them does
    not confuse two of a million.
    """
    return "fp_" + blake2b(secret, key=key, digest_size=6, person=b"llmproxy").hexdigest()
