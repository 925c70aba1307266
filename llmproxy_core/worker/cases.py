"""What is still to be judged of a call, and what was found in it so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.texts import answer_texts, request_texts
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Request, Response
from llmproxy_core.policies.facts import Facts
from llmproxy_core.records import Found
from llmproxy_core.store.guard_rows import Side

__all__ = ["Case", "Evidence", "Key", "Side", "hash_of", "key_of", "texts"]

type Key = tuple[Hash, str, str, str, frozenset[str]]
"""Of a text, with who wrote it, what it is, and who is not asked: the same has the same verdict."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding, for policies, and as it is written. `new`: it is to be written; else it was told of
    an earlier turn, and is there for the policies."""

    side: Side
    located: Located
    found: Found
    new: bool = True


@dataclass(slots=True)
class Case:
    """`facts`: of the call, for the policies; None: none is asked. `decided`: policies that the proxy
    has asked already. `imported`: there was nobody who could have asked them in time."""

    ns_id: int
    namespace: str
    flow: bytes
    at: int
    texts: list[tuple[Side, Text]] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    beside: list[Evidence] = field(default_factory=list)
    """Those of it that are in no text."""
    facts: Facts | None = None
    model: str = ""
    decided: frozenset[tuple[Side, str]] = frozenset()
    asked: frozenset[str] = frozenset()
    """The detectors that the proxy has asked about the request, by name: they are not asked again."""
    imported: bool = False

    @property
    def characters(self) -> int:
        return sum(len(text.text) for _, text in self.texts)


def hash_of(text: Text) -> Hash:
    return content_hash(text.text.encode("utf-8", "surrogatepass"))


def key_of(text: Text, without: frozenset[str]) -> Key:
    return hash_of(text), text.author, text.kind, text.tool, without


def texts(request: Request | None, answer: Response) -> Iterator[tuple[Side, Text]]:
    """What is to be judged, in order. `request`: None where the proxy has judged it."""
    if request is not None:
        _name_results(request)
        for text in request_texts(request):
            yield "request", text
    for text in answer_texts(answer):
        yield "response", text


def _name_results(request: Request) -> None:
    """Results say which call they answer, not of which tool."""
    parts = [part for message in request.messages for part in message.parts]
    names = {part.id: part.name for part in parts if part.kind == "tool_call" and part.id}
    for part in parts:
        if part.kind == "tool_result" and not part.name:
            part.name = names.get(part.id or "")
