"""Who may use the proxy: passwords checked off the event loop, remembered, and not guessed.

To check a password takes a quarter of a second on purpose, and a program logs in with every new
connection: what was found is remembered for a while, by a keyed hash, never the password. Users who
do not exist take as long as those who do. An address that guesses has to wait.
"""

import asyncio
import ipaddress
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from llmproxy_core import passwords
from llmproxy_core.passwords import PLAIN, Users
from llmproxy_core.watched import Watched

ACCEPTED_SECONDS = 600.0
REFUSED_SECONDS = 60.0
"""So long a wrong password is known, so that a program that insists on it is no guesser."""
GUESSES = 10
"""Different wrong passwords that one address may try within WINDOW seconds."""
WINDOW = 60.0
REMEMBERED = 10_000
"""Logins, and addresses, that are remembered at most."""
AT_ONCE = 64
"""Checks that may be waiting, of all addresses."""
BUSY = 5
THREADS = 2


class Answer(NamedTuple):
    """`wait`: seconds until the address may try again, if it has tried too often."""

    ok: bool
    wait: int = 0


class Logins:
    """The users of a proxy: those of a file, or a single one, and what was found out lately.

    For one event loop, on which `tell` hears who guesses.
    """

    def __init__(
        self,
        users: Watched[Users],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._tell = tell
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[bool, float]] = {}
        self._guesses = _Guesses(clock)
        self._under_way: dict[bytes, asyncio.Future[bool]] = {}
        self._threads = ThreadPoolExecutor(THREADS, "llmproxy-login")

    def known(self, user: str, password: str) -> bool | None:
        """What was found out lately; None: it has to be checked. At once, and never wrong for
        longer than it takes to see that the file has changed."""
        return self._recall(self._mark(user, password))

    async def check(self, address: str, user: str, password: str) -> Answer:
        """Is this a user's password? Takes a quarter of a second if it is not known yet."""
        mark = self._mark(user, password)
        known = self._recall(mark)
        if known is not None:
            return Answer(known)
        if mark not in self._under_way:
            place = _place(address)
            if wait := self._guesses.wait(place):
                return Answer(False, wait)
            if len(self._under_way) >= AT_ONCE:
                return Answer(False, BUSY)
            self._begin(mark, place, user, password)
        return Answer(await asyncio.shield(self._under_way[mark]))

    def refresh(self, complain: Callable[[str], None]) -> set[str]:
        """Read the file again if it has changed; whose password is another now, or gone. May be
        called in a thread; `complain` hears there what is wrong with the file."""
        before = self._users.value
        if not self._users.refresh(complain):
            return set()
        now = self._users.value
        return {user for user, hash in before.items() if now.get(user) != hash}

    def _begin(self, mark: bytes, place: str, user: str, password: str) -> None:
        """A check counts as a guess from its beginning, so that many at once are no way around."""
        guess = self._guesses.count(place)
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, passwords.holds, password, self._hash(user)
        )
        exists = user in self._users.value
        task = asyncio.ensure_future(self._finish(work, mark, exists, place, guess))
        self._under_way[mark] = task
        task.add_done_callback(lambda _: self._under_way.pop(mark, None))

    async def _finish(
        self, work: "asyncio.Future[bool]", mark: bytes, exists: bool, place: str, guess: float
    ) -> bool:
        ok = await work and exists
        self._known[mark] = ok, self._clock() + (ACCEPTED_SECONDS if ok else REFUSED_SECONDS)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        if ok:
            self._guesses.forgive(place, guess)
        elif self._guesses.is_new(place):
            self._tell(
                f"{place} has given {GUESSES} wrong passwords for the proxy within {WINDOW:.0f} s: "
                "it has to wait"
            )
        return ok

    def _recall(self, mark: bytes) -> bool | None:
        ok, until = self._known.get(mark, (None, 0.0))
        return ok if until > self._clock() else None

    def _hash(self, user: str) -> str:
        """The user's; for one who does not exist that of another, who is always the same one."""
        hashes = self._users.value
        if user in hashes or not hashes:
            return hashes.get(user, "")
        choice = int.from_bytes(blake2b(_bytes(user), key=self._key, digest_size=8).digest())
        return list(hashes.values())[choice % len(hashes)]

    def _mark(self, user: str, password: str) -> bytes:
        """With the hash in force, so that nothing is known of a password that was changed."""
        hasher = blake2b(key=self._key, digest_size=16)
        for part in (user, self._users.value.get(user, ""), password):
            data = _bytes(part)
            hasher.update(len(data).to_bytes(8) + data)
        return hasher.digest()


class _Guesses:
    """When each address has tried what turned out wrong, or is still being checked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: dict[str, float] = {}

    def wait(self, place: str) -> int:
        """Seconds until it may try again; 0: at once."""
        times = self._at.get(place)
        while times and times[0] <= self._clock() - WINDOW:
            times.popleft()
        if not times or len(times) < GUESSES:
            return 0
        return max(1, round(times[0] + WINDOW - self._clock()))

    def is_new(self, place: str) -> bool:
        """Has it to wait, and was that not known?"""
        if not self.wait(place) or self._clock() < self._told.get(place, 0.0):
            return False
        self._told = {one: until for one, until in self._told.items() if until > self._clock()}
        self._told[place] = self._clock() + WINDOW
        return True

    def count(self, place: str) -> float:
        now = self._clock()
        self._at.setdefault(place, deque()).append(now)
        self._at.move_to_end(place)
        if len(self._at) > REMEMBERED:
            self._at.popitem(last=False)
        return now

    def forgive(self, place: str, guess: float) -> None:
        times = self._at.get(place)
        if times and guess in times:
            times.remove(guess)


def of_file(path: Path, tell: Callable[[str], None]) -> Logins:
    """Raises ConfigError."""
    users = Watched[Users](path, passwords.read, passwords.read(path))
    for user in passwords.weak(users.value):
        tell(
            f"{path} has a SHA-1 hash of {user!r}, which is guessed fast: make it anew with "
            f"`htpasswd -B {path} {user}`"
        )
    return Logins(users, tell)


def of_one(user: str, password: str, tell: Callable[[str], None]) -> Logins:
    return Logins(Watched[Users](None, passwords.read, {user: PLAIN + password}), tell)


def _place(address: str) -> str:
    """Whoever has an address of IPv6 has all of its network, of 64 bits at least."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
