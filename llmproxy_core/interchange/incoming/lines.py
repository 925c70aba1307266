"""Blocks -> lines of bounded length."""

from collections.abc import Iterable, Iterator

LONGEST = 192 * 2**20
"""Bytes of a line: two bodies of the default `capture.max_body` in base64, and room."""


def numbered(blocks: Iterable[bytes], longest: int = LONGEST) -> Iterator[tuple[int, bytes | None]]:
    """(number, line without its end) from 1 on; None for a line over `longest`, which is skipped."""
    number, pieces, size = 1, list[bytes](), 0
    for block in blocks:
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            size += end - start
            yield number, b"".join([*pieces, block[start:end]]) if size <= longest else None
            number, pieces, size, start = number + 1, [], 0, end + 1
        if rest := block[start:]:
            size += len(rest)
            if size <= longest:
                pieces.append(rest)
            else:
                pieces.clear()
    if size:
        yield number, b"".join(pieces) if size <= longest else None
