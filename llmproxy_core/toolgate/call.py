"""A call of a tool as it comes in, and what formats tell about their events."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from llmproxy_core.model import Json
from llmproxy_core.providers.parsing import dumps

type Fields = dict[str, Any]
"""An event of a stream, a frame, or a whole answer: its JSON."""
type Cut = Literal["", "large", "ended"]


@dataclass(slots=True, eq=False)
class Call:
    """`said`: None while nothing is decided, "" if it may go on, else the text in its place.
    `cut`: why it is judged before it is complete: too `large` to be held, or the stream `ended`.
    `kind`: its type, of formats in which calls have several. `begun`, `told`: has what takes its place
    been begun, and said?"""

    name: str
    id: str = ""
    pieces: list[str] = field(default_factory=list)
    said: str | None = None
    cut: Cut = ""
    kind: str = ""
    begun: bool = False
    told: bool = False

    @property
    def arguments(self) -> str:
        """JSON text, or the free text of a custom tool."""
        return "".join(self.pieces)

    @property
    def denied(self) -> bool:
        return bool(self.said)

    def add(self, piece: Any) -> None:
        if isinstance(piece, str):
            self.pieces.append(piece)
        elif piece:
            self.pieces.append(dumps(piece))

    def hear_all(self, arguments: Json) -> None:
        """All of the arguments, where they come again."""
        if arguments:
            self.pieces.clear()
            self.add(arguments)


@dataclass(slots=True)
class Heard:
    """What an event has to do with calls.

    `calls`: pieces of them are in it, and `ended` are complete with it. `passes`: it may go on
    before calls that are held. `ahead`, `rest`: of an event with a text as well, which goes on.
    """

    calls: list[Call] = field(default_factory=list)
    ended: list[Call] = field(default_factory=list)
    passes: bool = False
    ahead: Fields | None = None
    rest: Fields | None = None


class Format(Protocol):
    """How a wire format tells of calls. One for each answer, as it knows what came before."""

    @property
    def words(self) -> tuple[bytes, ...]:
        """What an event has in it with which the first call begins."""
        ...

    def overhear(self, text: bytes) -> None:
        """Events that have no such word."""

    def hear(self, told: Fields) -> Heard: ...

    def changed(self, told: Fields) -> list[Fields]:
        """What leaves in place of an event, once all calls in it are decided and some call of the
        answer was denied; the same object in the list: as it came."""
        ...


def listed(value: Any) -> list[Any]:
    """A copy of a list; none of anything else."""
    return [*value] if isinstance(value, list) else []


def members(value: Any) -> Fields:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def number(told: Fields, name: str) -> int | None:
    """A whole number; None for anything else."""
    value = told.get(name)
    return value if isinstance(value, int) else None
