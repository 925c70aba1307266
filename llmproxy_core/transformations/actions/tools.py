"""`drop_tools` and `add_tools`: what is offered; past calls stay as they are."""

from llmproxy_core.globs import any_of
from llmproxy_core.policies.cuts import Cut
from llmproxy_core.policies.tools import cuts
from llmproxy_core.sections.operations import AddTools, DropTools
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.document import at
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Node, Path


def drop_hindrance(operation: DropTools, dialect: Dialect) -> str:
    return "" if dialect.add_tools is not None else f"{dialect.name} has no tools"


def add_hindrance(operation: AddTools, dialect: Dialect) -> str:
    if dialect.add_tools is None:
        return f"{dialect.name} has no tools"
    dotted = any("." in one.name for one in operation.tools)
    told = dotted and not dialect.name.startswith("gemini")
    return f"{dialect.name} has no dots in the names of tools" if told else ""


def dropping(operation: DropTools) -> Action:
    denied = any_of(operation.names)

    def do(draft: Draft) -> None:
        root = draft.root
        request = root.read()
        if not isinstance(request, dict):
            raise Cannot("unreadable", "the body is no JSON object")
        found, names = cuts(draft.wire, root.raw(), request, denied)
        _cut(root, found)
        if names:
            draft.notes.append("without " + ", ".join(dict.fromkeys(names)))

    return do


def adding(operation: AddTools) -> Action:
    def do(draft: Draft) -> None:
        for holder in draft.holders():
            add = draft.dialect.add_tools
            if add is None:
                draft.lacks("tools")
                return
            add(holder, operation.tools)

    return do


def _cut(root: Node, found: list[Cut]) -> None:
    """Everything is looked up before anything goes, as numbers change then."""
    paths = {cut.path: cut.instead for cut in found}
    outer = [path for path in paths if not any(path[:end] in paths for end in range(len(path)))]
    gone: dict[Path, set[str | int]] = {}
    for path in outer:
        if (instead := paths[path]) is None:
            gone.setdefault(path[:-1], set()).add(path[-1])
        elif (node := at(root, path)) is not None:
            node.replace(instead)
    for owner, steps in [(at(root, path), steps) for path, steps in gone.items()]:
        if owner is None:
            continue
        owner.remove_all({step for step in steps if isinstance(step, int)})
        for key in steps:
            if isinstance(key, str):
                owner.remove(key)
