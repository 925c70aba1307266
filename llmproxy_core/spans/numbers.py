"""Numbers of variable length: seven bits a byte, lowest first; the high bit says that more follow."""

from collections.abc import Iterable


def number(value: int) -> bytes:
    """A number >= 0."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """(value, position after it). Raises IndexError where the data ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def counted(data: bytes) -> bytes:
    """The data after its length."""
    return number(len(data)) + data


def read_counted(data: bytes, at: int) -> tuple[bytes, int]:
    """(data, position after it). Raises IndexError where there is less than was told."""
    size, at = read_number(data, at)
    end = at + size
    if end > len(data):
        raise IndexError("the data ends early")
    return data[at:end], end


def numbers(values: Iterable[int]) -> bytes:
    """Several of them, after how many they are."""
    listed = list(values)
    if not listed or max(listed) < 0x80:
        return number(len(listed)) + bytes(listed)
    return number(len(listed)) + b"".join(map(number, listed))


def read_numbers(data: bytes, at: int) -> tuple[list[int], int]:
    count, at = read_number(data, at)
    values = []
    for _ in range(count):
        value, at = read_number(data, at)
        values.append(value)
    return values, at


def signed(value: int) -> int:
    """A number of any sign as one >= 0: 0, -1, 1, -2 ... are 0, 1, 2, 3 ..."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unsigned(value: int) -> int:
    """Back from `signed`."""
    return -((value + 1) >> 1) if value & 1 else value >> 1
