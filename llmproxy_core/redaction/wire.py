"""Values that the provider must not get: placeholders go in their place, and come back as values.

    request   {"content": "Write to anna@example.org"}
    is sent   {"content": "Write to user-k3f9x2abqz@redacted.invalid"}

Only the bytes of values change. What holds: a placeholder that comes back becomes the same value;
the same conversation is sent with the same bytes on every turn; no placeholder equals a text that
is in the request. `restoring.py` is the way back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from llmproxy_core.masking.masker import Secret
from llmproxy_core.namespace.opening import Opening, answer_key, opening
from llmproxy_core.namespace.outgoing import Edit, edited
from llmproxy_core.namespace.request import Call
from llmproxy_core.namespace.signed import signed
from llmproxy_core.namespace.whole import fields_of
from llmproxy_core.providers.recoding import decode_whole, encode_whole
from llmproxy_core.redaction.leaves import Leaf, leaves, positions
from llmproxy_core.redaction.nesting import PLACEHOLDER, Nesting
from llmproxy_core.redaction.occurrences import Occurrence, Sought, readings, utf8
from llmproxy_core.redaction.placeholders import Placeholders
from llmproxy_core.redaction.sent_values import NEEDS_ESCAPE
from llmproxy_core.redaction.signed_blocks import signed_thoughts
from llmproxy_core.redaction.stand_ins import NoneLeft, StandIns
from llmproxy_core.spans.recent import Recent

BOM_OR_BLANK = b" \t\r\n\xef\xbb\xbf"
CONVERSATIONS = 2048
MOST = 512
"""Values of a conversation that are remembered."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A request as it is sent. `count`: how often a value was replaced. `back`: from placeholders
    to what they stand for; there may be some though none was replaced, of what an earlier turn had.

    `left`: why values are still in it, "" if none is:

        signed        the client has signed its body, or told its digest
        too_large     it is larger than `capture.max_body`
        coding        its content coding is unknown or damaged
        thoughts      a value is in thoughts that the provider has signed; elsewhere it is replaced
        missing       a value was found by its meaning, not as bytes; others are replaced
        taken         what would stand for a value is in the request already, also its substitutes
    """

    body: bytes
    count: int = 0
    back: dict[str, str] = field(default_factory=dict)
    values: tuple[Secret, ...] = ()
    left: str = ""


class Redactor:
    """Of one proxy. It remembers the values of conversations, as what told a detector that they are
    secret may be missing in a later turn. In memory only."""

    def __init__(self, key: bytes, max_body: int) -> None:
        """`key`: 32 bytes, the home's. `max_body`: bytes of a request that is changed."""
        self._key = key
        self._max_body = max_body
        self._known: Recent[bytes, tuple[Secret, ...]] = Recent(CONVERSATIONS)
        self._answers: Recent[str, dict[str, str]] = Recent(CONVERSATIONS)

    def request(self, call: Call, namespace: str, values: Sequence[Secret]) -> Redacted:
        """The request for the provider. `values`: found in it; those that were found in earlier
        turns of its conversation are looked for as well. Raises nothing."""
        if len(call.body) > self._max_body:
            return Redacted(call.body, left="too_large" if values else "")
        body = decode_whole(call.headers, call.body, self._max_body) if call.coded else call.body
        if body is None:
            return Redacted(call.body, left="coding" if values else "")
        began = _opening(call, body)
        keys = [_of(namespace, key) for key in began.keys] if began else []
        known = self._recalled(keys, values)
        made = self.text(call.wire, body, namespace, known, told=bool(began and began.elsewhere))
        made = _checked(made, values)
        self._remember(keys, known)
        if not made.count:
            return replace(made, body=call.body)
        if signed(call.headers, call.path):
            return Redacted(call.body, left="signed")
        if call.coded:
            return replace(made, body=encode_whole(call.headers, made.body, call.body))
        return made

    def text(
        self, wire: str, body: bytes, namespace: str, known: Sequence[Secret], *, told: bool = False
    ) -> Redacted:
        """A body without content codings, or a frame of a WebSocket's client. `told`: the provider
        has been told placeholders of all of `known`. Raises nothing."""
        if not known:
            return Redacted(body)
        try:
            return _redacted(wire, body, known, Placeholders(self._key, namespace), told)
        except NoneLeft:
            return Redacted(body, left="taken")

    def answered(self, id: str, namespace: str, request: Redacted) -> None:
        """How a request was sent whose answer later requests may name by its id."""
        if request.back:
            self._remember([_of(namespace, answer_key(id))], request.values)
            self._answers[id] = request.back

    def fetched(self, id: str) -> dict[str, str]:
        """What placeholders stand for in an answer that is fetched by its id."""
        return self._answers.get(id) or {}

    def _recalled(self, keys: Sequence[bytes], values: Iterable[Secret]) -> list[Secret]:
        """Under the label by which it was found first: a value has one placeholder."""
        found = [one for key in keys for one in self._known.get(key) or ()]
        return [*{one.value: one for one in reversed([*found, *values]) if one.value}.values()][
            ::-1
        ]

    def _remember(self, keys: Sequence[bytes], values: Sequence[Secret]) -> None:
        for key in keys if values else ():
            self._known[key] = tuple(values[:MOST])


class Session:
    """A WebSocket, whose provider remembers what was said before."""

    def __init__(self, redactor: Redactor, wire: str, namespace: str) -> None:
        self._redactor = redactor
        self._wire = wire
        self._namespace = namespace
        self._known: dict[str, Secret] = {}
        self.back: dict[str, str] = {}
        """Of all frames so far."""

    def frame(self, frame: bytes, values: Sequence[Secret]) -> Redacted:
        """A frame of the client. Raises nothing."""
        for one in values:
            self._known.setdefault(one.value, one)
        made = self._redactor.text(self._wire, frame, self._namespace, [*self._known.values()])
        self.back |= made.back
        return _checked(made, values)


def _checked(made: Redacted, values: Iterable[Secret]) -> Redacted:
    """Has all been replaced that was found?"""
    if made.left:
        return made
    gone = [one.value for one in made.values]
    for value in values:
        if not any(one in other for one in readings(value.value) for other in gone):
            return replace(made, left="missing")
    return made


def _redacted(
    wire: str, body: bytes, known: Sequence[Secret], placeholders: Placeholders, told: bool
) -> Redacted:
    """Raises NoneLeft."""
    thoughts = signed_thoughts(wire, body)
    stand_ins = StandIns(placeholders, known if told else (), _without(body, thoughts))
    sought = Sought(known)
    edits: list[Edit] = []
    left = ""
    for leaf, found in leaves(body, sought) if _is_json(body) else _whole(body, sought):
        if any(start <= leaf.start < end for start, end in thoughts):
            left = "thoughts"
        else:
            edits += _edits(body, leaf, found, stand_ins)
    values = tuple(known if told else stand_ins.found)
    return Redacted(edited(body, edits), len(edits), stand_ins.back, values, left)


def _edits(
    body: bytes, leaf: Leaf, found: Sequence[Occurrence], stand_ins: StandIns
) -> Iterator[Edit]:
    said = utf8(leaf.text) if leaf.quoted else body[leaf.start : leaf.end]
    at = [edge for one in found for edge in (one.start, one.end)]
    if leaf.quoted:
        at = positions(body[leaf.start : leaf.end], at)
    nesting, done = Nesting(), 0
    for one, start, end in zip(found, at[::2], at[1::2], strict=True):
        spelled, deep = said[one.start : one.end].decode("utf-8", "surrogatepass"), (0, 0)
        if leaf.quoted and NEEDS_ESCAPE.search(spelled):
            nesting.feed(said[done : one.start].decode("utf-8", "surrogatepass"))
            deep, done = (nesting.depth, nesting.escapes), one.end
            nesting.feed(PLACEHOLDER)
        yield leaf.start + start, leaf.start + end, stand_ins.of(one, spelled, *deep).encode()


def _whole(body: bytes, sought: Sought) -> Iterator[tuple[Leaf, list[Occurrence]]]:
    """A body that is no JSON: a form, a file. All of it is one text."""
    if found := sought.found(body):
        yield Leaf(0, len(body), "", quoted=False), found


def _is_json(body: bytes) -> bool:
    return body.lstrip(BOM_OR_BLANK)[:1] in (b"{", b"[", b'"')


def _without(body: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    return edited(body, [(start, end, b"") for start, end in spans])


def _opening(call: Call, body: bytes) -> Opening | None:
    """Nobody's values are looked for in what another user sends."""
    known = opening(call.wire, call.headers, fields_of(body))
    return known.of(call.user) if known and call.user else known


def _of(namespace: str, key: bytes) -> bytes:
    return namespace.encode("utf-8", "surrogateescape") + b"\0" + key
