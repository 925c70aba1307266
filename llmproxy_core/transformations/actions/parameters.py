"""`set`, `clamp`, `drop`: a parameter by its common name, or what a JSON pointer names."""

from collections.abc import Sequence

from llmproxy_core.sections.operations import ClampParameter, DropParameter, SetParameter
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.document import at, drop, dumped, pointed, put
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Node, Path

type Parameter = SetParameter | ClampParameter | DropParameter
TURNS = frozenset({"messages", "contents", "input"})
BUDGETS: tuple[Path, ...] = tuple(
    (*before, "budget_tokens")
    for before in (
        ("thinking",),
        ("additionalModelRequestFields", "thinking"),
        ("additionalModelRequestFields", "reasoning_config"),
    )
)
HOTTEST = {"anthropic": 1.0}
"""Temperatures, where less is taken than elsewhere."""
CLIENTS = frozenset({"user", "system", "developer", "tool"})


def hindrance(operation: Parameter, dialect: Dialect) -> str:
    name = operation.parameter
    if name.startswith("/") or dialect.counts or name in dialect.parameters:
        return _too_hot(operation, dialect)
    return f"{dialect.name} has no parameter {name}"


def _too_hot(operation: Parameter, dialect: Dialect) -> str:
    hottest = HOTTEST.get(dialect.name.partition(".")[0])
    value = operation.value if isinstance(operation, SetParameter) else None
    if (
        operation.parameter != "temperature"
        or hottest is None
        or not isinstance(value, int | float)
    ):
        return ""
    return f"{dialect.name} takes a temperature of {hottest:g} at most" if value > hottest else ""


def setting(operation: SetParameter) -> Action:
    value = dumped(operation.value)

    def do(draft: Draft) -> None:
        for holder, there in _places(draft, operation.parameter):
            if not there and (usual := _usual(draft, holder, operation.parameter)) is not None:
                put(holder, usual, value)
            elif not operation.missing_only:
                for path in there:
                    put(holder, path, value)
            _thinkable(holder, operation.parameter, operation.value)

    return do


def clamping(operation: ClampParameter) -> Action:
    def do(draft: Draft) -> None:
        for holder, there in _places(draft, operation.parameter):
            for path in there:
                node = at(holder, path)
                if node is not None and (bound := _bound(operation, node.read())) is not None:
                    node.replace(dumped(bound))
                    _thinkable(holder, operation.parameter, bound)

    return do


def dropping(operation: DropParameter) -> Action:
    def do(draft: Draft) -> None:
        for holder, there in _places(draft, operation.parameter):
            for path in there:
                drop(holder, path)

    return do


def _bound(operation: ClampParameter, value: object) -> float | int | None:
    """None: it may stay. A negative number of tokens is none (Ollama): only `max` bounds it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    endless = operation.parameter == "max_tokens" and value < 0
    if operation.max is not None and (value > operation.max or endless):
        return operation.max
    if operation.min is not None and value < operation.min and not endless:
        return operation.min
    return None


def _thinkable(holder: Node, name: str, value: object) -> None:
    """Raises Cannot: what a model may think, as Claude's are told, must be less than all it says."""
    if name != "max_tokens" or not isinstance(value, int | float):
        return
    for path in BUDGETS:
        node = at(holder, path)
        budget = node.read() if node is not None else None
        if isinstance(budget, int) and budget >= value:
            raise Cannot("refused", f"max_tokens {value} leaves nothing beside {budget} to think")


def _places(draft: Draft, name: str) -> list[tuple[Node, list[Path]]]:
    """Of each request in the body: where it stands."""
    if name.startswith("/"):
        path = pointed(name)
        _not_signed(draft.root, path)
        return [(draft.root, [path] if at(draft.root, path) is not None else [])]
    dialect = draft.dialect
    if dialect.counts or not dialect.holders:
        return []
    places = dialect.parameters.get(name)
    if places is None:
        draft.lacks(f"parameter {name}")
        return []
    return [(holder, _there(holder, places)) for holder in draft.holders()]


def _there(holder: Node, places: Sequence[Path]) -> list[Path]:
    return [path for path in places if (node := at(holder, path)) is not None and not node.null]


def _usual(draft: Draft, holder: Node, name: str) -> Path | None:
    """Where a new one goes; None: nothing new is said here."""
    if name.startswith("/"):
        return pointed(name)
    dialect = draft.dialect
    if dialect.partial:
        return None
    places = dialect.parameters[name]
    begun = (path for path in places if len(path) > 1 and at(holder, path[:-1]) is not None)
    return dialect.prefers(holder, name) or next(begun, places[0])


def _not_signed(root: Node, path: Path) -> None:
    """Raises Cannot: what would change is in what a provider has signed, or has it in itself."""
    for number, step in enumerate(path):
        if step not in TURNS:
            continue
        turns = at(root, path[: number + 1])
        turn = at(root, path[: number + 2])
        if turns is None or not blocks.signed(turns):
            continue
        if turn is None or blocks.signed(turn) or blocks.role(turn) not in CLIENTS:
            raise Cannot("signed", "the provider has signed what is there")
