"""What of an answer is written when, and when which of it came."""

from llmproxy_core.masking.kept import KeptAnswer
from llmproxy_core.model import Headers


class Late:
    """A keeper that gives what it is told to, then."""

    masked, skeleton, fault = 0, False, None

    def __init__(self, *given: tuple[bytes, bool]) -> None:
        self._given = [*given]
        self.again = False

    def feed(self, chunk: bytes) -> bytes:
        out, self.again = self._given.pop(0)
        return out

    def finish(self, *, complete: bool) -> bytes:
        return self.feed(b"")

    def frames(self) -> "Late":
        return self

    def also(self, secrets: object) -> None: ...

    def request(self, headers: Headers, body: bytes, *, cut: bool = False) -> bytes:
        return body

    def answer(self, status: int, headers: Headers) -> None: ...


def test_without_a_keeper_all_is_taken_as_it_came():
    kept = KeptAnswer()
    kept.add(b"ab", 5_000)
    kept.add(b"c", 9_000)
    assert kept.take(None) == ([b"ab", b"c"], 5_000, [(2, 0), (1, 4)], False)
    assert kept.take(None).at == 0
    assert (kept.size, kept.first_at) == (3, 5_000)


def test_what_is_held_back_keeps_its_time():
    kept, keeper = KeptAnswer(), Late((b"ab", False), (b"", False), (b"cdef", False))
    kept.add(b"abcd", 5_000)
    assert kept.take(keeper) == ([b"ab"], 5_000, [(2, 0)], False)
    kept.add(b"ef", 8_000)
    assert kept.take(keeper).at == 0
    assert kept.take(keeper, complete=True) == ([b"cdef"], 5_000, [(2, 0), (2, 3)], False)
    assert kept.size == 6


def test_what_is_longer_than_what_came_counts_with_the_first_of_it():
    kept, keeper = KeptAnswer(), Late((b"x" * 10, False))
    kept.add(b"ab", 5_000)
    kept.add(b"cd", 6_000)
    taken = kept.take(keeper)
    assert sum(size for size, _ in taken.marks) == 10


def test_what_stands_for_all_before_begins_when_that_did():
    kept, keeper = KeptAnswer(), Late((b"ab", False), (b"ABcd", True), (b"e", False))
    kept.add(b"ab", 5_000)
    kept.take(keeper)
    kept.add(b"cd", 7_000)
    taken = kept.take(keeper)
    assert (taken.chunks, taken.at, taken.again) == ([b"ABcd"], 5_000, True)
    assert sum(size for size, _ in taken.marks) == 4
    kept.add(b"e", 8_000)
    keeper._given = [(b"e", False), (b"", False)]
    assert kept.take(keeper, complete=True).chunks == [b"e"]
    assert kept.size == 5
