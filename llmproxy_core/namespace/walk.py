"""Finds the names of tools in a JSON text as it comes, in any cuts, along a grammar of places.

Nothing is parsed that the grammar does not lead to: other values are passed over by their quotes
and brackets. So it takes what strict parsers refuse (lone surrogates, NaN), and texts that are
damaged: from where it cannot go on, it finds nothing more. Linear in time; what is held is a token
of `LONGEST` bytes at most.
"""

import re
from typing import NamedTuple

from llmproxy_core.namespace.grammar import KEYS, Facts, Name, Node

LONGEST = 4096
"""Bytes of a string that may be a name, a kind or a key."""
DEEPEST = 512
"""Levels of objects and arrays that are followed."""
AROUND = 4
"""Objects around a name that are looked at: a function, its call, what was said, its choice."""

BLANK = re.compile(rb"[\s\xef\xbb\xbf]*+")
BETWEEN = re.compile(rb"[\s,]*+")
BEFORE_KEY = re.compile(rb'[^"}]*+')
KEY = re.compile(rb'"((?:[^"\\]++|\\.)*+)"\s*+:\s*+(?=\S)', re.DOTALL)
COLON = re.compile(rb"\s*+:?+\s*+")
STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
FLAT = re.compile(rb'(?:[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+"|\{\}|\[\])*+', re.DOTALL)
OPENING, CLOSING = re.compile(rb"[\[{]++"), re.compile(rb"[\]}]++")
SCALAR = re.compile(rb'[^\s,\]}"\[{]++')

QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY = b'"\\{}[]'
TOLD = {key.encode(): key for key in KEYS}
INDEX = b"index"


class Found(NamedTuple):
    """A name: the bytes `start:end`, without quotes. `around`: what the objects around it say,
    two at least and the innermost first; of a text that comes in pieces, what they have said so
    far, and their `index`."""

    start: int
    end: int
    place: Name
    around: tuple[Facts, ...]

    @property
    def holds(self) -> bool:
        """Is it the name of a client's tool?"""
        facts = self.around[self.place.level]
        return self.place.unless not in facts and self.place.holds(facts.get(self.place.key))


class _Frame:
    """An object or an array that is open. `node`: of the grammar; None: of no interest."""

    __slots__ = ("element", "facts", "members")

    def __init__(self, node: dict[str, Node] | list[Node]) -> None:
        self.members = node if isinstance(node, dict) else None
        self.element = node[0] if isinstance(node, list) else None
        self.facts: Facts = {}


class Walker:
    """Offsets count from the first byte that was fed; several JSON texts may follow each other.

    `held`: where a name begins that is not complete yet; None if there is none. `lost`: the text
    is too deep, and nothing more is found. `blind`: an object is damaged, or has a key over
    `LONGEST`; what follows in it is passed over.
    """

    __slots__ = ("_base", "_depth", "_grammar", "_in_string", "_rest", "_stack", "blind", "held",
                 "lost")  # fmt: skip

    def __init__(self, grammar: Node) -> None:
        self._grammar = grammar
        self._stack: list[_Frame] = []
        self._rest = b""
        self._base = 0
        self._depth = 0
        self._in_string = False
        self.held: int | None = None
        self.lost = False
        self.blind = False

    @property
    def between(self) -> bool:
        """Is no text begun and unfinished?"""
        return not (self._stack or self._depth or self._in_string or self._rest)

    def feed(self, data: bytes) -> list[Found]:
        """The names that `data` completes."""
        text = self._rest + data if self._rest else data
        found: list[Found] = []
        at, end = 0, len(text)
        self.held = None
        while 0 <= at < end and not self.lost:
            at = self._step(text, at, found)
        done = at if at >= 0 else ~at
        self._rest = b"" if self.lost else text[done:]
        self._base += end if self.lost else done
        return found

    def _step(self, text: bytes, at: int, found: list[Found]) -> int:
        """Where to go on; negative: more is needed, from `~at` on."""
        if self._in_string or self._depth:
            return self._pass(text, at)
        if not self._stack:
            at = _end(BLANK, text, at)
            return self._value(text, at, self._grammar, None, found)
        frame = self._stack[-1]
        if frame.members is not None:
            return self._member(text, at, frame, found)
        at = _end(BETWEEN, text, at)
        if at < len(text) and text[at] == CLOSE_ARRAY:
            self._stack.pop()
            return at + 1
        return self._value(text, at, frame.element, None, found)

    def _member(self, text: bytes, at: int, frame: _Frame, found: list[Found]) -> int:
        at = _end(BEFORE_KEY, text, at)
        if at == len(text):
            return at
        if text[at] == CLOSE:
            self._stack.pop()
            return at + 1
        key = KEY.match(text, at)
        if key is None or key.end() - at > LONGEST:
            return ~at if _may_become_key(text, at) else self._over(at)
        node = (frame.members or {}).get(key[1].decode("latin-1"))
        following = self._value(text, key.end(), node, key[1], found)
        return following if following >= 0 else ~at

    def _over(self, at: int) -> int:
        """Pass over the rest of an object, from the string on that begins here."""
        self._stack.pop()
        self._depth, self._in_string, self.blind = 1, True, True
        return at + 1

    def _value(
        self, text: bytes, at: int, node: Node | None, key: bytes | None, found: list[Found]
    ) -> int:
        if at == len(text):
            return at
        first = text[at]
        if first == QUOTE:
            return self._string(text, at, node, key, found)
        if first in (OPEN, OPEN_ARRAY):
            inner: dict[str, Node] | list[Node] | None
            inner = fitting(node, dict) if first == OPEN else fitting(node, list)
            if inner is not None:
                self.lost = len(self._stack) >= DEEPEST
                self._stack.append(_Frame(inner))
            else:
                self._depth = 1
            return at + 1
        following = _end(SCALAR, text, at)
        if key == INDEX:
            if following == len(text) and following - at < LONGEST:
                return ~at
            self._stack[-1].facts["index"] = text[at:following][:LONGEST].decode("latin-1")
        return following if following > at else at + 1

    def _string(
        self, text: bytes, at: int, node: Node | None, key: bytes | None, found: list[Found]
    ) -> int:
        place = fitting(node, Name)
        fact = TOLD.get(key) if key else None
        if place is None and fact is None:
            self._in_string = True
            return at + 1
        string = STRING.match(text, at)
        if (string.end() if string else len(text)) - at > LONGEST:
            if fact is not None:
                self._stack[-1].facts[fact] = ""
            self._in_string = True
            return at + 1
        if string is None:
            self.held = None if place is None else self._base + at
            return ~at
        if fact is not None:
            self._stack[-1].facts[fact] = string[1].decode("utf-8", "replace")
        if place is not None:
            start, end = string.span(1)
            found.append(Found(self._base + start, self._base + end, place, self._around()))
        return string.end()

    def _around(self) -> tuple[Facts, ...]:
        objects: list[Facts] = []
        for frame in reversed(self._stack):
            if frame.members is not None:
                objects.append(frame.facts)
                if len(objects) == AROUND:
                    break
        return (*objects, {}, {})

    def _pass(self, text: bytes, at: int) -> int:
        """On through a value of no interest."""
        if self._in_string:
            at = _end(INSIDE, text, at)
            if at == len(text):
                return at
            if text[at] == BACKSLASH:
                return ~at
            self._in_string = False
            return at + 1
        at = _end(FLAT, text, at)
        if at == len(text):
            return at
        first = text[at]
        if first == QUOTE:
            self._in_string = True
        elif first in (OPEN, OPEN_ARRAY):
            following = _end(OPENING, text, at)
            self._depth += following - at
            return following
        else:
            closed = min(_end(CLOSING, text, at) - at, self._depth)
            self._depth -= closed
            return at + closed
        return at + 1


def fitting[T](node: Node | None, kind: type[T]) -> T | None:
    """The alternative of a node that is of this kind."""
    if isinstance(node, kind):
        return node
    if isinstance(node, tuple):
        return next((one for one in node if isinstance(one, kind)), None)
    return None


def _may_become_key(text: bytes, at: int) -> bool:
    if len(text) - at > LONGEST:
        return False
    string = STRING.match(text, at)
    return string is None or _end(COLON, text, string.end()) == len(text)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """The end of what always matches, be it empty."""
    match = pattern.match(text, at)
    return match.end() if match else at
