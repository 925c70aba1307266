"""How much has passed: a counter for each kind of limit. All times are seconds since 1970.

`wait(now, amount)` says in how many seconds that much may pass: 0, now; infinity, never. `take`
counts it. `correct(now, by, since)` counts more or less of what was taken at `since`.
"""

from math import inf

from llmproxy_core.limits.ledger import OWN, UNTIL, WINDOW, Ledger

DAY = 86400
RING = OWN + 1
SLOT = 6.0
SLOTS = 11
"""Any 60 seconds lie within so many, hence no more than the limit passes in them."""
ROUNDING = 1e-9
"""Of the amount: sums of decimal fractions are not exact."""
CLOCK_ERROR = 1e-6
"""Seconds; a float has no more digits for the time since 1970."""
GRAIN = 2.0**-20
"""Seconds. Sums of times since 1970 that are multiples of it are exact until 2106."""
RETRY = 1.0
"""Seconds until a call under way may have ended."""


class Counter:
    """A record of the ledger, found again should another counter have been given its place.

    `take` goes on from the `wait` before it, which must have been under the same lock.
    """

    __slots__ = ("_at", "_id", "_ids", "_ledger", "_low", "_numbers", "_others")

    def __init__(self, ledger: Ledger, own: tuple[int, int], others: tuple[int, int]) -> None:
        """`others`: the record for all that find no place of their own."""
        self._ledger = ledger
        self._numbers = ledger.numbers
        self._ids = ledger.ids
        self._id = own
        self._others = others
        self._low = own[0]
        self._at = 0
        """Where the record is, if `_low` stands there."""

    def _find(self, now: float) -> int:
        self._low = self._id[0]
        self._at = self._ledger.place(self._id, now)
        if not self._at:
            self._low = self._others[0]
            self._at = self._ledger.place(self._others, now, force=True)
        return self._at


class Bucket(Counter):
    """Requests: `burst` at once, and `rate` a minute after that.

    The generic cell rate algorithm (ITU-T I.371): kept is the time at which the bucket will be
    full again.
    """

    __slots__ = ("_each", "_full", "_spare")

    def __init__(
        self,
        ledger: Ledger,
        own: tuple[int, int],
        others: tuple[int, int],
        amounts: tuple[int, int],
    ) -> None:
        super().__init__(ledger, own, others)
        rate, burst = amounts
        self._each = round(60.0 / rate / GRAIN) * GRAIN
        self._full = burst * self._each
        self._spare = self._full - self._each + CLOCK_ERROR

    def wait(self, now: float, amount: float) -> float:
        at = self._at
        if not at or self._ids[at] != self._low:
            at = self._find(now)
        ahead = self._numbers[at + OWN] - now
        if ahead <= self._spare:
            return 0.0
        if ahead > self._full + CLOCK_ERROR:  # the clock was set back, or the limit made smaller
            self._numbers[at + OWN] = now + self._full
            ahead = self._full
        return max(CLOCK_ERROR, ahead + self._each - self._full)

    def take(self, now: float, amount: float) -> None:
        at, numbers = self._at, self._numbers
        full = numbers[at + OWN]
        full = (full if full > now else now) + self._each
        numbers[at + OWN] = numbers[at + UNTIL] = full

    def correct(self, now: float, by: float, since: float) -> None:
        """A request that was never sent makes room, as far as time has not made it by itself."""
        at = self._at if self._ids[self._at] == self._low else self._find(now)
        self._numbers[at + OWN] -= max(0.0, self._each - (now - since))

    def used(self, now: float) -> float:
        """Requests of the burst that are not there now."""
        at = self._at if self._at and self._ids[self._at] == self._low else self._find(now)
        return max(0.0, self._numbers[at + OWN] - now) / self._each


class Minute(Counter):
    """Tokens: at most `limit` in any 60 seconds. The ring holds what was taken in each slot."""

    __slots__ = ("_limit", "_most", "_slot")

    def __init__(
        self, ledger: Ledger, own: tuple[int, int], others: tuple[int, int], limit: float
    ) -> None:
        super().__init__(ledger, own, others)
        self._limit = limit
        self._most = limit * (1 + ROUNDING)
        self._slot = 0.0
        """The newest one."""

    def wait(self, now: float, amount: float) -> float:
        at, numbers = self._at, self._numbers
        if not at or self._ids[at] != self._low:
            at = self._find(now)
        slot = now // SLOT
        if slot != numbers[at + WINDOW]:
            self._turn(at, slot)
            slot = numbers[at + WINDOW]
        self._slot = slot
        if numbers[at + OWN] + amount <= self._most:
            return 0.0
        return self._later(at, amount) - now if amount <= self._limit else inf

    def take(self, now: float, amount: float) -> None:
        at, numbers, slot = self._at, self._numbers, self._slot
        numbers[at + OWN] += amount
        numbers[at + RING + int(slot) % SLOTS] += amount
        if amount:
            numbers[at + UNTIL] = (slot + SLOTS) * SLOT

    def correct(self, now: float, by: float, since: float) -> None:
        """Less is given back to where it was taken, if that still counts; more counts now."""
        at, numbers = self._at, self._numbers
        if self._ids[at] != self._low:
            at = self._find(now)
        newest = now // SLOT
        if newest != numbers[at + WINDOW]:
            self._turn(at, newest)
            newest = numbers[at + WINDOW]
        if by > 0.0:
            self._slot = newest
            self.take(now, by)
        elif newest - SLOTS < (slot := since // SLOT) <= newest:
            ring = at + RING + int(slot) % SLOTS
            had = numbers[ring]
            if by < -had:
                by = -had
            numbers[ring] = had + by
            numbers[at + OWN] = used = numbers[at + OWN] + by
            if not used:
                numbers[at + UNTIL] = 0.0

    def used(self, now: float) -> float:
        self.wait(now, 0.0)
        return self._numbers[self._at + OWN]

    def _later(self, at: int, amount: float) -> float:
        """When so much will pass, if nothing else does until then."""
        excess = self._numbers[at + OWN] + amount - self._most
        slot = self._slot - SLOTS + 1
        while slot < self._slot and (excess := excess - self._numbers[_ring(at, slot)]) > 0.0:
            slot += 1
        return (slot + SLOTS) * SLOT + CLOCK_ERROR

    def _turn(self, at: int, slot: float) -> None:
        """What counts no more is left out, and `slot` is the newest, unless the clock was set back:
        it is given a minute to catch up."""
        numbers = self._numbers
        newest = numbers[at + WINDOW]
        if 0 < newest - slot < SLOTS:
            return
        ring, used = at + RING, numbers[at + OWN]
        first = slot - SLOTS + 1 if newest > slot else max(newest + 1, slot - SLOTS + 1)
        for passed in range(int(first), int(slot) + 1):
            numbers[ring + passed % SLOTS] = 0.0
        if newest > slot:
            numbers[_ring(at, slot)] = used
        numbers[at + WINDOW] = slot
        numbers[at + OWN] = used = sum(numbers[ring : ring + SLOTS].tolist())
        if used:
            numbers[at + UNTIL] = (slot + SLOTS) * SLOT


def _ring(at: int, slot: float) -> int:
    return at + RING + int(slot) % SLOTS


class Day(Counter):
    """USD: at most `limit` from midnight to midnight, UTC."""

    __slots__ = ("_limit", "_most")

    def __init__(
        self, ledger: Ledger, own: tuple[int, int], others: tuple[int, int], limit: float
    ) -> None:
        super().__init__(ledger, own, others)
        self._limit = limit
        self._most = limit * (1 + ROUNDING)

    def wait(self, now: float, amount: float) -> float:
        at, numbers = self._at, self._numbers
        if not at or self._ids[at] != self._low:
            at = self._find(now)
        if now // DAY != numbers[at + WINDOW]:
            self._turn(at, now // DAY)
        if numbers[at + OWN] + amount <= self._most:
            return 0.0
        return (numbers[at + WINDOW] + 1) * DAY - now if amount <= self._limit else inf

    def take(self, now: float, amount: float) -> None:
        self._add(self._at, amount)

    def correct(self, now: float, by: float, since: float) -> None:
        """Less is given back to the day it was taken from; more counts today."""
        at = self._at if self._ids[self._at] == self._low else self._find(now)
        if now // DAY != self._numbers[at + WINDOW]:
            self._turn(at, now // DAY)
        if by > 0 or since // DAY == self._numbers[at + WINDOW]:
            self._add(at, max(by, -self._numbers[at + OWN]))

    def used(self, now: float) -> float:
        self.wait(now, 0.0)
        return self._numbers[self._at + OWN]

    def _add(self, at: int, amount: float) -> None:
        numbers = self._numbers
        numbers[at + OWN] = used = numbers[at + OWN] + amount
        numbers[at + UNTIL] = (numbers[at + WINDOW] + 1) * DAY if used else 0.0

    def _turn(self, at: int, day: float) -> None:
        """A clock that was set back does not bring a new day's budget."""
        numbers = self._numbers
        counted = numbers[at + WINDOW]
        if counted - day == 1:
            return
        if day > counted:
            numbers[at + OWN] = 0.0
        numbers[at + WINDOW] = day
        if numbers[at + OWN]:
            numbers[at + UNTIL] = (day + 1) * DAY


class Slots:
    """Calls under way, of this process: they end with it."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def wait(self, now: float, amount: float) -> float:
        return 0.0 if self.taken < self.limit else RETRY

    def take(self, now: float, amount: float) -> None:
        self.taken += 1

    def correct(self, now: float, by: float, since: float) -> None:
        self.taken -= 1

    def used(self, now: float) -> float:
        return float(self.taken)
