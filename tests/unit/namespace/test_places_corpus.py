"""On recorded exchanges and sessions: the grammars find what the readers and the truth tell."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from llmproxy_core.model import Tool
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.places.formats import PLACES
from tests.unit.namespace.oracle import Members, Path, Seen, of_clients, parsed, seen
from tests.unit.namespace.recorded import texts
from tests.unit.providers.corpus import Exchange, exchanges, needs_corpus, request_of, wire_of
from tests.unit.providers.sessions import frames_of, sessions
from tests.unit.providers.sessions import wire_of as session_wire

pytestmark = needs_corpus

WRITTEN = frozenset(
    {
        "args",
        "arguments",
        "input",
        "inputSchema",
        "input_schema",
        "parameters",
        "parameters_json_schema",
        "response",
    }
)
"""What stands under these keys a model or a client has written, or it describes that."""
WORDS = frozenset({"auto", "none", "required"})
OF_SERVERS = "Tools of MCP servers, as the answer lists them; without a prefix they stay"
OF_NAMESPACE = "A namespace of the client's own; it stays, as it was sent so"
FETCHED = "A background answer that is fetched later: another request declared the tool"
MORE: dict[str, str] = {
    "7e8b7f56d69ea5cb": OF_NAMESPACE,
    "d887cd5af2f70386": FETCHED,
    "cdbd203e65c770bf": FETCHED,
    "ac0d7ed9117f6155": OF_SERVERS,
    "14124220cdd64a5f": OF_SERVERS,
    "ce9a748c4406131f": OF_SERVERS,
    "5e0c2448dc268ef6": OF_SERVERS,
}
"""Exchanges in whose answers there is more at the places of names than called and declared tools."""


def with_places() -> Iterator[tuple[Exchange, str]]:
    for exchange in exchanges():
        if (wire := wire_of(exchange)) in PLACES:
            yield exchange, wire


def declared(wire: str, bodies: Iterable[Any]) -> list[Seen]:
    """Where a request offers the client's tools."""
    found = [one for body in bodies for one in of_clients(body, PLACES[wire])]
    return [one for one in found if one.place.declares]


def names(found: Iterable[Seen]) -> set[str]:
    return {one.name for one in found}


def told(wire: str, bodies: Iterable[Any]) -> set[str]:
    """What an answer has at the places of names."""
    found = [one for body in bodies for one in seen(body, PLACES[wire].answer)]
    return names(one for one in found if one.holds) - WORDS


def called(exchange: Exchange) -> set[str]:
    """The tools of the client that the answer calls, as the truth has it."""
    truth = exchange["expected"] or {}
    choices = truth.get("tool_calls_by_choice") or [truth.get("tool_calls")]
    return {call["name"] for calls in choices for call in calls or () if call["name"]}


def offered(tools: list[Tool]) -> set[str]:
    """As our reader tells it: `namespace.tool` for one of a namespace."""
    return {tool.name.rpartition(".")[2] for tool in tools if not tool.hosted}


def test_the_declared_names_are_those_that_the_reader_tells() -> None:
    counted: Counter[str] = Counter()
    wrong = []
    for exchange, wire in with_places():
        found = names(declared(wire, texts(exchange, "request")))
        counted[wire] += bool(found)
        if found != (read := offered(request_of(exchange)[0].tools)):
            wrong.append((exchange["id"], wire, found ^ read))
    assert wrong == []
    assert counted.total() > 1_000


def test_the_declared_names_are_those_of_the_truth() -> None:
    """It counts Anthropic's own tools and namespaces, too, but no tools of Amazon's, none that are
    added among the input, and none within a namespace."""
    compared = 0
    wrong = []
    for exchange, wire in with_places():
        truth = (exchange["expected"] or {}).get("request_tool_names")
        if truth is None:
            continue
        bodies = texts(exchange, "request")
        found = [one for body in bodies for one in seen(body, PLACES[wire].request)]
        told = [one for one in found if one.place.declares]
        if wire.startswith("bedrock."):
            told = [one for one in told if one.holds]
        if wire == "openai.responses":
            told = [one for one in told if one.path[0] == "tools" and len(one.path) == 3]
        compared += 1
        if names(told) != set(truth):
            wrong.append((exchange["id"], wire, names(told) ^ set(truth)))
    assert wrong == []
    assert compared > 1_000


def test_every_called_tool_is_found_in_its_answer_and_hardly_anything_else() -> None:
    calls: Counter[str] = Counter()
    missing, more = [], {}
    for exchange, wire in with_places():
        expected = called(exchange)
        calls[wire] += bool(expected)
        found = told(wire, texts(exchange, "response"))
        if not expected <= found:
            missing.append((exchange["id"], wire, expected - found))
        known = expected | names(declared(wire, texts(exchange, "request")))
        if found - known - {""}:
            more[exchange["id"]] = found - known
    assert missing == []
    assert more.keys() == MORE.keys()
    assert calls.total() > 600


def test_no_name_of_a_tool_stands_where_no_grammar_looks() -> None:
    """But in what models and clients write: text, arguments, results."""
    missed: Counter[tuple[str, str]] = Counter()
    for exchange, wire in with_places():
        asked = texts(exchange, "request")
        tools = names(one for body in asked for one in of_clients(body, PLACES[wire]))
        for bodies, grammar in (
            (asked, PLACES[wire].request),
            (texts(exchange, "response"), PLACES[wire].answer),
        ):
            for path in _overlooked(bodies, grammar, tools):
                missed[wire, ".".join("[]" if isinstance(s, int) else s for s in path)] += 1
    assert missed == {}


def _overlooked(bodies: list[Any], grammar: Node, tools: set[str]) -> Iterator[Path]:
    for body in bodies:
        looked = {one.path for one in seen(body, grammar)}
        for path, value in _strings(body, ()):
            if value in tools and path not in looked:
                yield path


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Members):
        for key, inner in value:
            if key not in WRITTEN or not path:
                yield from _strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))


def test_in_recorded_sessions_the_declared_tools_are_found_and_those_that_are_called() -> None:
    found: Counter[str] = Counter()
    for session in sessions():
        wire = session_wire(session)
        tools: set[str] = set()
        for client, data in frames_of(session):
            frame = parsed(data)
            if client:
                tools |= names(declared(wire, [frame]))
                assert set(_declared(json.loads(data))) <= tools, session["id"]
            elif calls := set(_called(json.loads(data))):
                assert calls <= told(wire, [frame]) & tools, session["id"]
                found[wire] += len(calls)
    assert found.keys() == {"openai.realtime", "gemini.live"}
    assert found.total() > 20


def _declared(frame: dict[str, Any]) -> Iterator[str]:
    for tool in frame.get("session", {}).get("tools", ()):
        if tool["type"] == "function":
            yield tool["name"]
    for group in frame.get("setup", {}).get("tools", ()):
        yield from (function["name"] for function in group.get("functionDeclarations", ()))


def _called(frame: dict[str, Any]) -> Iterator[str]:
    items = [frame.get("item", {}), *frame.get("response", {}).get("output", ())]
    yield from (item["name"] for item in items if item.get("type") == "function_call")
    yield from (call["name"] for call in frame.get("toolCall", {}).get("functionCalls", ()))
