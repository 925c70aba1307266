"""Ask the worker for a change while a request waits: `worker.instant` answers.

It is asked at the beginning of a conversation whose prompt has a known pattern, and what it says
holds for all of it. Fails open, and soon: without an answer in time nothing is changed.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from llmproxy_core.enhancing.trials import Variation
from llmproxy_core.errors import ConfigError
from llmproxy_core.hashing import Hash
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.spans.recent import Recent
from llmproxy_core.transformations.transformation import Transformation, transformation

NAME = "advisor:instant"
"""What is told of it where transformations have their names; none can have this one."""
ALLOWED = frozenset({"append_system", "set", "clamp", "response_format"})
"""As `enhancements.advised.instant` has it: nothing else is done at once."""
KNOWN = 1000
LONGEST = 2**16
"""Bytes of an answer."""
TEXT = 64_000
"""Characters of a text that is asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """As `enhancements.advised.instant.Waiting`; `keys`: what the conversation is known by."""

    namespace: str
    wire: str
    pattern: str
    system: str
    prompt: str
    keys: tuple[Hash, ...] = ()


class Asker:
    """`file`: the socket. `wait_ms`: how long a request waits at most."""

    def __init__(self, file: Path, wait_ms: int) -> None:
        self._file = file
        self._seconds = wait_ms / 1000
        self._known: Recent[bytes, Transformation] = Recent(KNOWN)

    async def ask(self, question: Question) -> Transformation | None:
        """Raises nothing."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answer(question)
            return self._read(answer)
        except (
            OSError,
            ValueError,
            ConfigError,
            TimeoutError,
            msgspec.MsgspecError,
            RecursionError,
        ):
            return None  # the worker is away, busy, or older or newer than we are

    async def _answer(self, question: Question) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._file, limit=LONGEST)
        try:
            told = {
                "namespace": question.namespace,
                "wire": question.wire,
                "pattern": question.pattern,
                "system": _sendable(question.system),
                "prompt": _sendable(question.prompt),
            }
            writer.write(msgspec.json.encode(told) + b"\n")
            return await reader.readline()
        finally:
            writer.close()

    def _read(self, answer: bytes) -> Transformation | None:
        found = self._known.get(answer)
        if found is None and answer:
            operations = msgspec.json.decode(answer, type=dict[str, list[dict[str, object]]])
            if not operations.get("operations"):
                return None
            if any(str(one.get("op")) not in ALLOWED for one in operations["operations"]):
                return None
            logic = read_operations(operations["operations"])
            found = self._known[answer] = transformation(Variation(NAME, "true", logic))
        return found


def _sendable(text: str) -> str:
    return text[:TEXT].encode("utf-8", "replace").decode()
