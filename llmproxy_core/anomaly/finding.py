"""What detectors look at, and what they find."""

from dataclasses import dataclass
from typing import Literal, Protocol

type Family = Literal[
    "secret",
    "pii",
    "injection",
    "indirect_injection",
    "jailbreak",
    "exfiltration",
    "hidden_text",
    "dangerous_tool",
    "unusual_use",
]
type Severity = Literal["low", "medium", "high", "critical"]
type Author = Literal["system", "user", "assistant", "tool"]
"""Who wrote a text matters as much as what it says; `tool`: results, documents, web pages."""
type Kind = Literal["text", "reasoning", "arguments", "result", "document"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a call. `tool`: whose arguments or result it is; arguments are JSON text."""

    text: str
    author: Author = "user"
    kind: Kind = "text"
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """`score` from 0 to 1; `start:end` are characters of the text that it rests on; `said` is a
    sentence that a person understands, and has nothing secret in it."""

    detector: str
    family: Family
    score: float
    severity: Severity
    start: int
    end: int
    said: str


class Detector(Protocol):
    """Stateless, linear in time, raises nothing on any text."""

    @property
    def name(self) -> str: ...

    def find(self, text: Text) -> list[Finding]: ...
