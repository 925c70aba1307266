"""`prepend_system`, `append_system`, `replace_system`."""

from llmproxy_core.sections.operations import SystemText
from llmproxy_core.transformations import strings
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects import blocks
from llmproxy_core.transformations.dialects.dialect import Dialect, System
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Node

MARKS = (b'"cache_control"',)


def hindrance(operation: SystemText, dialect: Dialect) -> str:
    return "" if dialect.system is not None else f"{dialect.name} has no system prompt"


def saying(operation: SystemText) -> Action:
    change = {
        "prepend_system": _prepend,
        "append_system": _append,
        "replace_system": _replace,
    }[operation.op]
    text = operation.text

    def do(draft: Draft) -> None:
        for holder in draft.holders():
            system = draft.dialect.system
            if system is None:
                draft.lacks("system prompt")
                return
            contents = system.contents(holder)
            if contents:
                change(system, contents, text)
                if operation.op == "replace_system":
                    system.narrow(holder)
            elif not draft.dialect.partial:
                system.create(holder, text)

    return do


def _append(system: System, contents: list[Node], text: str) -> None:
    last = contents[-1]
    if last.kind == "string":
        strings.append(last, text)
    elif not any((one.said() or "").endswith(text) for one in [*blocks.texts(last)][-1:]):
        last.append(system.block(text))


def _prepend(system: System, contents: list[Node], text: str) -> None:
    first = contents[0]
    if first.kind == "string":
        strings.prepend(first, text)
    elif not any((one.said() or "").startswith(text) for one in [*blocks.texts(first)][:1]):
        first.insert(0, system.block(text))


def _replace(system: System, contents: list[Node], text: str) -> None:
    """Of an array, the block with a cache breakpoint stays, or the last one, with other words."""
    content = contents[0]
    if content.kind == "string":
        content.replace(strings.quoted(text))
        return
    elements = content.elements()
    told = [number for number, one in enumerate(elements) if one.get("text") is not None]
    if not told:
        content.insert(0, system.block(text))
        return
    marked = [number for number in told if any(mark in elements[number].raw() for mark in MARKS)]
    kept = (marked or told)[-1]
    words = elements[kept].get("text")
    if words is None or words.kind != "string":
        raise Cannot("elsewhere", "the system prompt is no text")
    words.replace(strings.quoted(text))
    content.remove_all({*told} - {kept})
