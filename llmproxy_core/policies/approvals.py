"""Calls that wait until a person lets them pass, or refuses them.

What people decided comes as the file `approvals` of the home, which the worker writes:
`{id of the call in hex: {"decision": "approved" | "denied", "by": who, "why": a sentence}}`, with
`:tool` after the id where a call of a tool in the answer was decided. It is looked at every 100 ms
while anything waits, and not at all otherwise.

A call of a tool cannot wait in the middle of a stream: it is refused, with a text that tells how to
have it approved, and passes once when it is made again and somebody has.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from llmproxy_core.hashing import Hash, content_hash

SECONDS = 0.1
"""How often the file is looked at."""
LARGEST = 16 * 2**20
"""Bytes of the file; a larger one is not what the worker writes."""
TOOLS = 1024
"""Calls of tools that are remembered."""
ALONE = "another call in the same answer waits already: make this one again, alone"

type State = Literal[
    "waiting", "still waiting", "not asked", "approved", "denied", "expired", "gone"
]
"""`still waiting`: the same call of a tool again. `not asked`: another one of the same answer waits,
and who approves that has not seen this one. `gone`: the program has hung up meanwhile."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a call waits, and for how long. `message`: of the policy, for the program."""

    policy: str
    message: str = ""
    seconds: float = 300.0
    on_timeout: Literal["allow", "deny"] = "deny"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why`: for the people who look at it later. `said`: what the program is told, if it may not
    pass."""

    state: State
    passes: bool
    why: str = ""
    said: str = ""


class Decided(msgspec.Struct):
    """An entry of the file."""

    decision: Literal["approved", "denied"]
    by: str = ""
    why: str = ""

    @property
    def told(self) -> str:
        by = f"{self.decision} by {self.by}" if self.by else self.decision
        return f"{by}: {self.why}" if self.why else by


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call of a tool that was refused, so that somebody can approve it."""

    id: bytes
    until: float
    hold: Hold


class Approvals:
    """Those of one proxy. `clock`: seconds. Not thread-safe."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self._decided: Mapping[str, Decided] = {}
        self._asked: dict[Hash, _Asked] = {}
        self._watching: asyncio.Task[None] | None = None

    async def wait(self, id: bytes, hold: Hold, gone: Callable[[], bool]) -> Outcome:
        """Until somebody has decided, or the time is over, or the program is `gone`."""
        until = self._clock() + hold.seconds
        while True:
            await self._look()
            if (decided := self._decided.get(entry(id))) is not None:
                return _outcome(hold, decided)
            if gone():
                return Outcome("gone", False, "the program hung up while it waited")
            if (left := until - self._clock()) <= 0:
                return _expired(hold)
            await asyncio.sleep(min(SECONDS, left))

    def tool(self, id: bytes, hold: Hold, key: Hash) -> Outcome:
        """May a call of a tool pass that was made in the answer to the call `id`?

        `key`: see `tool_key`. To be asked on the event loop.
        """
        asked = self._asked.get(key)
        decided = self._decided.get(entry(asked.id, tool=True)) if asked else None
        if asked is not None and decided is not None:
            if decided.decision == "approved":
                del self._asked[key]
            return _outcome(hold, decided)
        if asked is not None and self._clock() > asked.until:
            del self._asked[key]
            if asked.hold.on_timeout == "allow":
                return _expired(hold)
            asked = None
        if asked is not None:
            return Outcome("still waiting", False, "", _how_to_approve(hold, asked.id))
        if any(other.id == id for other in self._asked.values()):
            return Outcome("not asked", False, ALONE, _refused(hold, f"and {ALONE}"))
        self._ask(id, hold, key)
        return Outcome("waiting", False, "", _how_to_approve(hold, id))

    def _ask(self, id: bytes, hold: Hold, key: Hash) -> None:
        while len(self._asked) >= TOOLS:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = _Asked(id, self._clock() + hold.seconds, hold)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        """As long as a tool's call may be made again; what is denied stays so until it ends."""
        while any(asked.until > self._clock() for asked in self._asked.values()):
            await self._look()
            await asyncio.sleep(SECONDS)
        self._forget()

    def _forget(self) -> None:
        """What was denied, and is over. What nobody decided is kept: `on_timeout` says of it."""
        for key, asked in list(self._asked.items()):
            if entry(asked.id, tool=True) in self._decided:
                del self._asked[key]

    async def _look(self) -> None:
        seen = _state(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        self._decided = await asyncio.to_thread(read, self._path)


def read(path: Path) -> Mapping[str, Decided]:
    """What was decided, by `entry`. What cannot be read decides nothing."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=dict[str, Decided])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}  # fails closed: nothing passes but what its time-out allows


def entry(id: bytes, *, tool: bool = False) -> str:
    """Under what the file has a decision: that a request may pass says nothing of tools."""
    return f"{id.hex()}:tool" if tool else id.hex()


def tool_key(namespace: str, tool: str, arguments: str) -> Hash:
    """By which a call of a tool is known again: the same tool, the same arguments, to the letter."""
    words = "\0".join((namespace, tool, arguments))
    return content_hash(words.encode("utf-8", "surrogatepass"))


def _outcome(hold: Hold, decided: Decided) -> Outcome:
    if decided.decision == "approved":
        return Outcome("approved", True, decided.told)
    return Outcome("denied", False, decided.told, _refused(hold, f"and it was {decided.told}"))


def _expired(hold: Hold) -> Outcome:
    why = f"nobody decided within {hold.seconds:g} s"
    if hold.on_timeout == "allow":
        return Outcome("expired", True, why)
    return Outcome("expired", False, why, _refused(hold, f"and {why}"))


def _refused(hold: Hold, why: str) -> str:
    message = f" {hold.message}" if hold.message else ""
    return f"llmproxy: the policy {hold.policy} held this call, {why}.{message}"


def _how_to_approve(hold: Hold, id: bytes) -> str:
    message = f" {hold.message}" if hold.message else ""
    return (
        f"llmproxy: the policy {hold.policy} holds this call of a tool until a person approves it:"
        f" `llmproxy approvals approve {UUID(bytes=id)}`. Then make the same call again, unchanged."
        f"{message}"
    )


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
