"""Calls that are blocks of an answer: each begins, goes on and ends with events of its own."""

from collections.abc import Hashable

from llmproxy_core.toolgate.call import Call, Heard


class Blocks:
    """Calls by what tells their block from the others. Blocks come one after the other, and what
    begins after a call that is held waits with it: clients count them as they come."""

    __slots__ = ("_calls", "_late", "_open")

    def __init__(self) -> None:
        self._calls: dict[Hashable, Call] = {}
        self._open: dict[Hashable, Call] = {}
        """Those that may not be decided yet."""
        self._late: set[Hashable] = set()
        """Blocks that began while a call was held."""

    def begin(self, key: Hashable, call: Call) -> Heard:
        self._calls[key] = self._open[key] = call
        self._late.discard(key)
        return Heard([call])

    def other(self, key: Hashable) -> Heard:
        """A block that is no call begins."""
        self._calls.pop(key, None)
        if self.held:
            self._late.add(key)
        return Heard()

    def piece(self, key: Hashable) -> Heard:
        """Of a block that went on before a call was held, pieces do, too."""
        call = self._calls.get(key)
        return Heard([call]) if call else Heard(passes=key not in self._late)

    def end(self, key: Hashable) -> Heard:
        heard = self.piece(key)
        heard.ended = [call for call in heard.calls if call.said is None]
        return heard

    def over(self) -> Heard:
        """The end of all of them."""
        return Heard(ended=[call for call in self._calls.values() if call.said is None])

    def call(self, key: Hashable) -> Call | None:
        return self._calls.get(key)

    @property
    def all(self) -> list[Call]:
        return [*self._calls.values()]

    def behind(self, index: int) -> bool:
        """Does a call that is held come before?"""
        return any(isinstance(key, int) and key < index for key in self._held())

    @property
    def held(self) -> bool:
        return bool(self._held())

    def _held(self) -> dict[Hashable, Call]:
        for key in [key for key, call in self._open.items() if call.said is not None]:
            del self._open[key]
        return self._open
