"""What later calls say about earlier ones: a bounded memory of each conversation.

Calls are heard when they are over. What a request tells about the one it goes on from (a
correction, the results of tools) needs no memory. That a question is asked again, or was edited, needs
the calls of the last minutes: after a restart, hear them again and leave out what comes of it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import xxhash

from llmproxy_core.success.call import Call
from llmproxy_core.success.corrections import corrected
from llmproxy_core.success.newest import results, said
from llmproxy_core.success.questions import Digest, digest, head, likeness, sketch
from llmproxy_core.success.signal import Signal
from llmproxy_core.success.tool_results import tool_result

SECOND = 10**9
AGAIN = 600 * SECOND
"""ns in which the same question is the same question again."""
EDITING = 1800 * SECOND
"""ns in which a turn is edited."""
READING = 2 * SECOND
"""ns that a person needs to see that an answer is not right; programs ask at once."""
OFTEN = 3
"""Times of the same question, as far as they are remembered, from which on it is a program that
asks; of the same turn, once more."""
ALIKE = 0.3
"""Of the words of a turn that are in its edited form."""
REMEMBERED = 16
"""Calls of a conversation."""
CONVERSATIONS = 2000

REGENERATED, IN_CONVERSATION, EDITED, ANEW = 0.9, 0.8, 0.7, 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a call. `turn`: the first of those that ask the same at one place;
    `parent`: what that one goes on from. `how`: of one that opens a conversation, how it is asked; 0 of
    others."""

    id: UUID
    at: int
    ended: int
    parent: UUID | None
    turn: UUID
    model: str
    whole: bool
    digest: Digest | None
    head: str
    """Of what was said, as far as it is compared with another form of it."""
    how: int = 0


class Trail:
    """The latest calls that belong together, oldest first."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._calls: dict[UUID, Seen] = {}

    def add(self, seen: Seen) -> None:
        self._calls.setdefault(seen.id, seen)
        if len(self._calls) > self._most:
            del self._calls[next(iter(self._calls))]

    def before(self, seen: Seen, within: int) -> list[Seen]:
        """Those that had ended when a call began, not longer ago than `within` ns; latest first."""
        found = [
            one
            for one in self._calls.values()
            if one.ended <= seen.at <= one.ended + within and one.id != seen.id
        ]
        return sorted(found, key=lambda one: one.ended, reverse=True)

    def alike(self, seen: Seen) -> list[Seen]:
        """Those that had ended when a call began which asks the same, in the same way; latest first,
        OFTEN at most."""
        found: list[Seen] = []
        for one in reversed(self._calls.values()):
            if one.digest != seen.digest or one.ended > seen.at or one.id == seen.id:
                continue
            if one.how == seen.how or not (one.how and seen.how):
                found.append(one)
            if len(found) == OFTEN:
                break
        return found

    def place(self, call: Call) -> tuple[UUID, UUID | None]:
        """The turn of a call, and the parent of that."""
        if call.relation != "retry" or call.parent is None:
            return call.id, call.parent
        same = self._calls.get(call.parent)
        return (same.turn, same.parent) if same else (call.parent, None)


class Trails:
    """All conversations. `hear` returns what a call says about those before it.

    One signal about another call is told at most once for each name and call that tells it, also where
    a call is heard again.
    """

    def __init__(self, conversations: int = CONVERSATIONS) -> None:
        self._most = conversations
        self._sessions: OrderedDict[tuple[int, UUID], Trail] = OrderedDict()
        self._openings: OrderedDict[tuple[int, str], Trail] = OrderedDict()

    def hear(self, call: Call) -> list[Signal]:
        if not call.asks or call.mute:
            return []
        trail = _recent(self._sessions, (call.ns_id, call.session), self._most)
        opens = _opens(call)
        seen = _seen(call, trail, opens=opens)
        found: list[Signal | None] = []
        if call.relation != "root":
            found = [
                corrected(call),
                tool_result(call),
                None if opens else regenerated(call, seen, trail),
                edited(call, seen, trail),
            ]
        if call.relation != "retry":
            found.append(asked_again(seen, trail, IN_CONVERSATION))
        trail.add(seen)
        if opens and seen.digest is not None:
            openings = _recent(self._openings, (call.ns_id, call.client), self._most)
            found.append(asked_again(seen, openings, ANEW))
            openings.add(seen)
        return _distinct([signal for signal in found if signal])


def regenerated(call: Call, seen: Seen, trail: Trail) -> Signal | None:
    """The same turn once more, though its answer was whole; not where programs repeat it."""
    if call.relation != "retry" or call.parent is None:
        return None
    earlier = [one for one in trail.before(seen, EDITING) if one.turn == seen.turn]
    if not earlier or not earlier[0].whole or seen.at - earlier[0].ended < READING:
        return None
    if len(earlier) > OFTEN:
        return None
    why = "the same turn was sent again"
    return Signal(earlier[0].id, "regenerated", "bad", "user", REGENERATED, why, call.id)


def asked_again(seen: Seen, trail: Trail, weight: float) -> Signal | None:
    """The same question within minutes, though it was answered; not where programs repeat it."""
    if seen.digest is None:
        return None
    same = trail.alike(seen)
    if not same or len(same) >= OFTEN - 1 or not same[0].whole or same[0].model != seen.model:
        return None
    after = seen.at - same[0].ended
    if not READING <= after <= AGAIN:
        return None
    why = f"the same question again after {after // SECOND} s"
    return Signal(same[0].id, "asked_again", "bad", "user", weight, why, seen.id)


def edited(call: Call, seen: Seen, trail: Trail) -> Signal | None:
    """Another form of a turn that had its answer: the person went back and changed the words."""
    if call.relation != "branch" or call.parent is None or not seen.head:
        return None
    for one in trail.before(seen, EDITING):
        if one.parent == call.parent and one.whole and one.digest != seen.digest:
            if likeness(sketch(one.head), sketch(seen.head)) < ALIKE:
                return None
            why = "the turn was edited and sent again"
            return Signal(one.id, "edited", "bad", "user", EDITED, why, call.id)
    return None


def _seen(call: Call, trail: Trail, *, opens: bool) -> Seen:
    by_tool = bool(results(call.request.messages))
    text = "" if by_tool else said(call.request.messages)
    turn, parent = trail.place(call)
    return Seen(
        id=call.id,
        at=call.at,
        ended=call.ended,
        parent=parent,
        turn=turn,
        model=call.request.model or "",
        whole=call.whole,
        digest=digest(text),
        head=head(text),
        how=_how(call) if opens else 0,
    )


def _how(call: Call) -> int:
    """Of what a person does not change: an application that asks in another way is another one, or
    a program that tries out something."""
    asked = call.request
    told = (asked.stream, len(asked.tools), len(asked.system), asked.parameters)
    return xxhash.xxh3_64_intdigest(repr(told).encode("utf-8", "replace")) or 1


def _opens(call: Call) -> bool:
    """Is it the beginning of a conversation, without any answer before it?"""
    spoken = any(message.role == "assistant" for message in call.request.messages)
    return not spoken and call.relation in ("root", "retry")


def _distinct(signals: list[Signal]) -> list[Signal]:
    """One signal of a name about a call: the surest. Asked again in its conversation, and anew."""
    best: dict[tuple[UUID, str], Signal] = {}
    for signal in signals:
        key = (signal.request, signal.name)
        if key not in best or best[key].weight < signal.weight:
            best[key] = signal
    return list(best.values())


def _recent[K](table: OrderedDict[K, Trail], key: K, most: int) -> Trail:
    trail = table.setdefault(key, Trail())
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
    return trail
