"""Takes the prefix off the names in an answer, as it comes.

Whatever the cuts, the client gets the same bytes, and gets them at once: held back is only a name
that has begun and not ended. An event or a line without a key of a name is not parsed.
"""

from llmproxy_core.namespace.eventlines import Blanker
from llmproxy_core.namespace.grammar import Node, Places
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.plain_text import restored_in_texts
from llmproxy_core.namespace.restore import Held, restored
from llmproxy_core.namespace.walk import Walker
from llmproxy_core.namespace.whole import Damaged, names_in

NOWHERE = Places([], [])
BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"
IN_PIECES = frozenset({"openai.chat", "watsonx.chat"})
"""Formats whose clients join the pieces of a name."""
LONGEST_ASLEEP = 2**16
"""Bytes of an event that are kept unparsed; a longer one is walked through at once."""
ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


def changed(text: bytes, wire: str, naming: Naming) -> bytes:
    """A JSON text that is all there: a frame, the payload of a message, a whole answer."""
    places = PLACES.get(wire)
    if places is None or not any(word in text for word in places.answer_words):
        return text
    try:
        found = names_in(text, places.answer, places.answer_words)
    except Damaged:
        return text
    edits: list[Edit] = []
    for one in found:
        name = text[one.start : one.end]
        if one.holds and (ours := restored(name, one.place, naming)) != name:
            edits.append((one.start, one.end, ours))
    return edited(text, edits)


def changed_frame(frame: bytes, wire: str, naming: Naming) -> bytes:
    """A frame of the provider. In texts it changes names that stand in it as a whole: to keep back
    a frame until the next one has come would be to lose it, should the session end there."""
    ours = changed(frame, wire, naming)
    if naming.plain_text and wire in PLACES:
        return edited(ours, restored_in_texts(ours, PLACES[wire].answer_text, naming))
    return ours


class AnswerNames:
    """The bytes of an answer without content codings, in any cuts; then `finish`.

    What the body is, its first byte tells: JSON (also several texts in a row), or events.
    """

    __slots__ = ("_body", "_lines", "_naming", "_pieces", "_places")

    def __init__(self, wire: str, naming: Naming, lines: bool = False) -> None:
        """`lines`: it is announced as one JSON text a line."""
        self._places = PLACES.get(wire, NOWHERE)
        self._naming = naming
        self._lines = lines
        self._pieces = wire in IN_PIECES
        self._body: JsonNames | EventNames | None = None

    def feed(self, data: bytes) -> bytes:
        if self._body is None:
            text = data.lstrip(BOM_OR_BLANK)
            if not text:
                return data
            if text[:1] in b"{[" and not self._lines:
                self._body = JsonNames(self._places.answer, self._naming)
            else:
                self._body = EventNames(self._places, self._naming, self._pieces, self._lines)
            return data[: -len(text)] + self._body.feed(text)
        return self._body.feed(data)

    def finish(self) -> bytes:
        """What was held back of a name that never ended."""
        return self._body.finish() if self._body else b""


class JsonNames:
    """One JSON text after the other, e.g. a whole answer, or an array that grows."""

    __slots__ = ("_held", "_walker")

    def __init__(self, grammar: Node, naming: Naming) -> None:
        self._walker = Walker(grammar)
        self._held = Held(naming)

    def feed(self, data: bytes) -> bytes:
        self._held.add(data)
        self._held.found(self._walker.feed(data))
        return self._held.take(self._walker.held)

    def finish(self) -> bytes:
        return self._held.finish()


class EventNames:
    """Server-sent events, or lines of JSON (`lines`).

    Asleep it only looks for a key of a name, and keeps the event that has begun; awake it walks,
    until an event ends with the chunk. With `pieces` a name may go on in the next event; one that
    has none says that it does not.
    """

    __slots__ = ("_begun", "_blanker", "_grammar", "_held", "_lines", "_longest", "_named",
                 "_naming", "_origin", "_pieces", "_size", "_speaks", "_walker",
                 "_words")  # fmt: skip

    def __init__(self, places: Places, naming: Naming, pieces: bool, lines: bool) -> None:
        self._grammar = places.answer
        self._words = places.answer_words
        self._longest = max(map(len, self._words), default=1)
        self._naming = naming
        self._pieces = pieces
        self._lines = lines
        self._begun = b""
        self._sleep()

    def _sleep(self) -> None:
        self._walker: Walker | None = None
        self._blanker = Blanker(self._lines)
        self._held = Held(self._naming, self._pieces)
        self._origin = 0
        """Where the event begins that is walked through."""
        self._size = 0
        """Bytes of it that have been walked through."""
        self._speaks = self._named = False
        """Has it data, and a name?"""

    def feed(self, chunk: bytes) -> bytes:
        if self._walker is None:
            begun = self._begun
            text = begun[1 - self._longest :] + chunk if begun else chunk
            for word in self._words:
                if word in text:
                    self._wake()
                    break
            else:
                return self._asleep(chunk)
        self._held.add(chunk)
        held = self._walk(chunk)
        out = self._held.take(held)
        if held is None and not (self._size or self._blanker.waits or self._held.waits):
            self._sleep()
        return out

    def finish(self) -> bytes:
        return self._held.finish()

    def _asleep(self, chunk: bytes) -> bytes:
        if chunk.endswith(ENDS) and not self._lines:
            self._begun = b""
        else:
            end = chunk.rfind(b"\n") + 1 if self._lines else _last_end(chunk)
            self._begun = chunk[end:] if end else self._begun + chunk
            if len(self._begun) > LONGEST_ASLEEP:
                self._wake()
        return chunk

    def _wake(self) -> None:
        begun, self._begun = self._begun, b""
        self._walker = Walker(self._grammar)
        self._held.skip(len(begun))
        self._walk(begun)

    def _walk(self, data: bytes) -> int | None:
        """Where an unfinished name begins, if there is one."""
        walker = self._walker or Walker(self._grammar)
        for text, ends in self._blanker.feed(data):
            names = walker.feed(text)
            self._held.found(names, self._origin)
            self._size += len(text)
            self._named = self._named or bool(names)
            self._speaks = self._speaks or not text.isspace()
            if ends:
                if self._speaks and not self._named:
                    self._held.settle()
                self._speaks = self._named = False
                self._origin += self._size
                self._size = 0
                walker = Walker(self._grammar)
        self._walker = walker
        return None if walker.held is None else self._origin + walker.held


def _last_end(chunk: bytes) -> int:
    """Where the event begins that is not over with the chunk; 0: before it."""
    ends = ((chunk.rfind(end), len(end)) for end in ENDS)
    return max((at + size for at, size in ends if at >= 0), default=0)
