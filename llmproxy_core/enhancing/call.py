"""A request on its way, and what was made of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from llmproxy_core.enhancing.recognised import Patterns
from llmproxy_core.experiments.begun import Conversation
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Headers
from llmproxy_core.records import Enhanced
from llmproxy_core.transformations.rules import Outcome
from llmproxy_core.transformations.transformation import Transformation


@dataclass(frozen=True, slots=True)
class Call:
    """A request, or a frame of a WebSocket's client, as it came.

    `body`: without content codings. `user`: of the proxy. `tell`: the facts of these variables, see
    `policies.facts`. `unit`: what all frames of a WebSocket are known by together; empty: each tells
    it by itself.
    """

    wire: str
    path: str
    headers: Headers
    body: bytes
    namespace: str
    user: str
    tell: Callable[[Collection[str]], dict[str, Any]]
    unit: Hash = b""


@dataclass(frozen=True, slots=True)
class Instant:
    """What was answered while the first request of a conversation waited; None: nothing."""

    change: Transformation | None


@dataclass(frozen=True, slots=True)
class Place:
    """What answers are remembered with, see `Enhancer.answered`."""

    conversation: Conversation | None
    patterns: Patterns
    instant: Instant | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """`outcome`: the request as it is to be sent. `enhanced`: what is written of that; None: nothing
    was to be done. `place`: None: nobody asks which conversation it is."""

    outcome: Outcome
    enhanced: Enhanced | None = None
    place: Place | None = None
