"""Streamed answers: hundreds of events that differ in a few words each, turned into columns.

A stream is a list of *lines* (events, or lines of NDJSON). Taking the values out of a line leaves
its *shape*; lines of one shape form a table, stored by column. The column of the deltas is then
the text of the answer, escaped as JSON has it: the same bytes as in the client's next request.

Encoded: the separator; the shapes; which line has which shape; for each shape its columns.
"""

import re
from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise, repeat

from llmproxy_core.spans.numbers import (
    counted,
    number,
    numbers,
    read_counted,
    read_number,
    read_numbers,
    signed,
    unsigned,
)

SEPARATORS = (b"\n\n", b"\r\n\r\n", b"\n")
SLOT = b"\x00"
VALUE = re.compile(
    rb'(": ?"?+)'
    rb'((?<=")[^"\\]*+(?:\\.[^"\\]*+)*+(?=")'
    rb'|(?<!")(?<!index":)(?<!index": )-?\d[\d.eE+-]*+)',
    re.DOTALL,
)
"""After a key: a string without its quotes, or a number; numbers of blocks and choices belong to the shape."""
WORD = re.compile(rb"[a-z_.]{1,40}")
INTEGER = re.compile(rb"-?[1-9]\d{0,17}|0")
LEAST = 512
"""Bytes of a body that is worth it."""
SHORTEST = 16
"""Bytes of a line, on average; millions of empty ones would take gigabytes."""
SHAPES = 100
MOST = 2**26
SAME, STEPS, COUNTS, TEXTS = range(4)
"""Kinds of columns: one value for all; integers by their step; by their differences; texts."""

type Piece = tuple[bytes, bool]
"""What is encoded; is it text as it stands in the stream?"""


def split(body: bytes) -> list[Piece] | None:
    """Pieces which joined can be read by `merge`; None where there is nothing to gain."""
    if len(body) < LEAST or SLOT in body:
        return None
    separator = next((n for n, s in enumerate(SEPARATORS) if body.count(s) > 2), None)
    if separator is None or body.count(SEPARATORS[separator]) > len(body) // SHORTEST:
        return None
    parts = VALUE.split(body)
    values = parts[2::3]
    parts[2::3] = [SLOT] * len(values)
    lines = b"".join(parts).split(SEPARATORS[separator])
    tables = _tables(lines, values)
    if len(tables) > min(SHAPES, len(lines)):
        return None
    order = {shape: n for n, shape in enumerate(tables)}
    pieces: list[Piece] = [(number(separator) + number(len(tables)), False)]
    columns: list[Piece] = []
    for shape, rows in tables.items():
        folded, kept = _folded(shape, list(zip(*rows, strict=True)))
        pieces.append((counted(folded), False))
        for column in kept:
            columns += _column(column)
    return [*pieces, (_runs([order[line] for line in lines]), False), *columns]


def merge(data: bytes) -> bytes:
    """The body. Raises IndexError, ValueError where the data is damaged."""
    separator, at = read_number(data, 0)
    count, at = read_number(data, at)
    shapes = []
    for _ in range(count):
        shape, at = read_counted(data, at)
        shapes.append(shape)
    order, at = _read_runs(data, at)
    tables = []
    for n, shape in enumerate(shapes):
        columns, height = [], order.count(n)
        for _ in range(shape.count(SLOT)):
            column, at = _read_column(data, at, height)
            columns.append(column)
        tables.append(_filled(shape, columns, height))
    return SEPARATORS[separator].join([next(tables[n]) for n in order])


def _tables(lines: list[bytes], values: list[bytes]) -> dict[bytes, list[list[bytes]]]:
    """Shape -> rows, shapes in the order in which they come first."""
    tables: dict[bytes, list[list[bytes]]] = {}
    widths: dict[bytes, int] = {}
    at = 0
    for line in lines:
        rows = tables.get(line)
        if rows is None:
            rows = tables[line] = []
            widths[line] = line.count(SLOT)
        end = at + widths[line]
        rows.append(values[at:end])
        at = end
    return tables


def _folded(
    shape: bytes, columns: list[tuple[bytes, ...]]
) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Words that are the same in all lines, such as `text_delta`, become part of the shape."""
    texts = shape.split(SLOT)
    out, kept = [texts[0]], []
    for column, text in zip(columns, texts[1:], strict=True):
        if WORD.fullmatch(column[0]) and column.count(column[0]) == len(column):
            out[-1] += column[0] + text
        else:
            out.append(text)
            kept.append(column)
    return SLOT.join(out), kept


def _column(values: tuple[bytes, ...]) -> list[Piece]:
    first = values[0]
    if values.count(first) == len(values):
        return [(number(SAME) + number(len(first)), False), (first, True)]
    if INTEGER.fullmatch(first) and all(map(INTEGER.fullmatch, values)):
        steps = [b - a for a, b in pairwise(map(int, values))]
        start = number(signed(int(first)))
        if steps.count(steps[0]) == len(steps):
            return [(number(STEPS) + start + number(signed(steps[0])), False)]
        return [(number(COUNTS) + start + numbers(map(signed, steps)), False)]
    return [(number(TEXTS) + numbers(map(len, values)), False), (b"".join(values), True)]


def _read_column(data: bytes, at: int, height: int) -> tuple[list[bytes], int]:
    kind, at = read_number(data, at)
    if kind == SAME:
        value, at = read_counted(data, at)
        return [value] * height, at
    if kind == TEXTS:
        lengths, at = read_numbers(data, at)
        ends = [at, *accumulate(lengths, initial=at)][1:]
        return [data[a:b] for a, b in pairwise(ends)], ends[-1]
    first, at = read_number(data, at)
    if kind == STEPS:
        step, at = read_number(data, at)
        steps = [unsigned(step)] * (height - 1)
    elif kind == COUNTS:
        coded, at = read_numbers(data, at)
        steps = list(map(unsigned, coded))
    else:
        raise ValueError(f"unknown kind of column: {kind}")
    return [b"%d" % value for value in accumulate(steps, initial=unsigned(first))], at


def _filled(shape: bytes, columns: list[list[bytes]], height: int) -> Iterator[bytes]:
    """The lines of one shape, one after the other."""
    if not columns:
        return repeat(shape, height)
    pattern = shape.replace(b"%", b"%%").replace(SLOT, b"%b")
    return map(pattern.__mod__, zip(*columns, strict=True))


def _runs(order: list[int]) -> bytes:
    """Which shape, how often."""
    runs = [(shape, len(list(same))) for shape, same in groupby(order)]
    return numbers(n for run in runs for n in run)


def _read_runs(data: bytes, at: int) -> tuple[list[int], int]:
    coded, at = read_numbers(data, at)
    order = []
    if sum(coded[1::2]) > MOST:
        raise ValueError("more lines than there can be")
    for shape, count in zip(coded[::2], coded[1::2], strict=True):
        order += [shape] * count
    return order, at
