"""What is put between a text that a model has said and the one that takes the place of a call."""

import re

GAP = "\n\n"


class Spoken:
    """Has a text been said before? `sign`: what an event has in it that says one."""

    __slots__ = ("_before", "_sign")

    def __init__(self, sign: bytes) -> None:
        self._sign = re.compile(sign)
        self._before = False

    def hear(self, text: bytes) -> None:
        self._before = self._before or self._sign.search(text) is not None

    def say(self, said: str) -> str:
        """Once it has been said, what comes next is not the first any more."""
        gap = GAP if self._before else ""
        self._before = True
        return gap + said

    def tell(self) -> None:
        self._before = True

    @property
    def before(self) -> bool:
        return self._before
