"""Texts of others within a question: cut, and between two lines that they cannot end."""

from hashlib import blake2b


def shortened(text: str, head: int, tail: int) -> str:
    """The first `head` and the last `tail` characters of a long text, and how many are left out."""
    left_out = len(text) - head - tail
    if left_out <= 0:
        return text
    return f"{text[:head]}\n[{left_out} characters left out]\n{text[-tail:]}"


def framed(text: str) -> str:
    """The text between two lines with its mark."""
    mark = _mark(text)
    return f"{mark}\n{text}\n{mark}"


def _mark(text: str) -> str:
    """A line that the text cannot hold, since it depends on all of it; the same for the same text,
    so that the verdict is found again."""
    return f"=== {blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()} ==="
