"""Tools that a policy denies are taken out of what a request offers; past calls of them stay.

    {"tools": [{"name": "shell"}, {"name": "read"}], "tool_choice": {"name": "shell"}}
    {"tools": [{"name": "read"}]}

A tool is known by its name; one of the provider's own also by its type (`web_search_20250305`) or
key (`googleSearch`), one of an MCP server also by the server's label. Only bytes of what is denied
go, and of choices that name it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.namespace.places.formats import PLACES, WORDS
from llmproxy_core.policies import offers
from llmproxy_core.policies.cuts import Cut, Path, Unreadable, without
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.repeated import repeats

type Denied = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Stripped:
    """`names`: what was taken out, as it was offered. `left`: why nothing could be: "unreadable",
    "repeated", "batch"."""

    body: bytes
    names: list[str] = field(default_factory=list)
    left: str = ""


def without_tools(wire: str, body: bytes, denied: Denied) -> Stripped:
    """A request without content codings, or a frame of a WebSocket's client."""
    if wire not in PLACES:
        return Stripped(body, left="batch" if wire.endswith(".batches") else "")
    request, problem = parse(body)
    if problem is not None or not isinstance(request, dict):
        return Stripped(body, left="unreadable")
    if repeats(body):
        return Stripped(body, left="repeated")
    found, names = cuts(wire, body, request, denied)
    try:
        return Stripped(without(body, found), list(dict.fromkeys(names)))
    except Unreadable:
        return Stripped(body, left="unreadable")


def cuts(
    wire: str, body: bytes, request: Mapping[str, Any], denied: Denied
) -> tuple[list[Cut], list[str]]:
    """What has to go, and the names of the tools. `request`: what `body` says."""
    if wire not in PLACES:
        return [], []
    denying = _Denying(wire, body, denied)
    for path, holder in offers.holders(wire, request):
        denying.holder(path, holder)
    return denying.cuts, denying.names


class _Denying:
    def __init__(self, wire: str, body: bytes, denied: Denied) -> None:
        self._wire = wire
        self._denied = denied
        self._no_tool = offers.no_tool(wire, body)
        self._adds = b'"tool_definition"' in body
        self.cuts: list[Cut] = []
        self.names: list[str] = []

    def holder(self, path: Path, holder: Mapping[str, Any]) -> None:
        if self._adds:
            self._messages((*path, "messages"), holder.get("messages"))
        left = self._items((*path, offers.ITEMS), holder.get(offers.ITEMS))
        emptied = [key for key in offers.LISTS if self._list((*path, key), holder.get(key))]
        left += any(holder.get(key) for key in offers.LISTS if key not in emptied)
        if not emptied or left:
            self.cuts += (Cut((*path, key)) for key in emptied)
            self._choices(path, holder)
        else:
            self._nothing_left(path, holder, emptied)

    def _messages(self, path: Path, messages: Any) -> None:
        """Claude may be offered tools in the midst of a conversation."""
        for number, message in enumerate(messages if isinstance(messages, list) else ()):
            where = (*path, number, "content")
            blocks = mapping(message).get("content")
            blocks = blocks if isinstance(blocks, list) else []
            gone = [at for at, block in enumerate(blocks) if self._added(block)]
            if gone and len(gone) == len(blocks):
                self.cuts.append(Cut((*path, number)))
            self.cuts += (Cut((*where, at)) for at in gone)
            for at, block in enumerate(blocks):
                changes = mapping(block).get("tool_changes")
                for change, one in enumerate(changes if isinstance(changes, list) else ()):
                    if self._added(one):
                        self.cuts.append(Cut((*where, at, "tool_changes", change)))

    def _added(self, block: Any) -> bool:
        definition = mapping(mapping(mapping(block).get("tool")).get("definition"))
        return bool(definition) and self._entry((), definition)

    def _items(self, path: Path, items: Any) -> int:
        """Tools among what was said; how many items still offer some."""
        left = 0
        for number, item in enumerate(items if isinstance(items, list) else ()):
            offered = mapping(item).get("tools")
            if not isinstance(offered, list) or not offered:
                continue
            if not self._list((*path, number, "tools"), offered):
                left += 1
            elif mapping(item).get("type") == "additional_tools":
                self.cuts.append(Cut((*path, number)))
            else:  # what a search has found: the search stays
                self.cuts.append(Cut((*path, number, "tools"), b"[]"))
        return left

    def _list(self, path: Path, entries: Any) -> bool:
        """Is there a list, and nothing left of it? Then it is still to be cut."""
        if isinstance(entries, dict):  # Google takes one for a list of one
            return self._entry(path, entries)
        if not isinstance(entries, list) or not entries:
            return False
        gone = [n for n, one in enumerate(entries) if self._entry((*path, n), one)]
        if len(gone) == len(entries):
            return True
        self.cuts += (Cut((*path, number)) for number in gone)
        return False

    def _entry(self, path: Path, entry: Any) -> bool:
        """Does all of it go?"""
        names = offers.names(self._wire, entry)
        if any(map(self._denied, names)):
            self.names.append(names[0])
            return True
        fields = mapping(entry)
        emptied = {key for key in offers.INNER if self._list((*path, key), fields.get(key))}
        if emptied and not fields.keys() - emptied - offers.DESCRIBING:
            return True
        self.cuts += (Cut((*path, key)) for key in emptied)
        return False

    def _nothing_left(self, path: Path, holder: Mapping[str, Any], emptied: Sequence[str]) -> None:
        if path[-1:] == ("toolConfig",):
            self.cuts.append(Cut(path, self._no_tool))
            return
        instead = b"[]" if self._wire == "openai.realtime" else self._no_tool
        self.cuts += (Cut((*path, key), instead) for key in emptied)
        for key in (*offers.CHOICES, offers.PARALLEL):
            if key in holder:
                self.cuts.append(Cut((*path, key)))
        for config, calling, _ in _configs(holder):
            self.cuts.append(Cut((*path, config, calling)))

    def _choices(self, path: Path, holder: Mapping[str, Any]) -> None:
        for key in offers.CHOICES:
            if key in holder:
                self._choice((*path, key), holder[key])
        for config, calling, value in _configs(holder):
            for key in offers.ALLOWED:
                where = (*path, config, calling)
                self._allowed(where, (*where, key), value.get(key))

    def _choice(self, path: Path, choice: Any) -> None:
        fields = mapping(choice)
        nested = mapping(fields.get("allowed_tools"))
        if "tools" in fields or "tools" in nested:
            inner = ("tools",) if "tools" in fields else ("allowed_tools", "tools")
            self._allowed(path, (*path, *inner), fields.get("tools", nested.get("tools")))
        elif self._is_chosen(choice):
            self.cuts.append(Cut(path))

    def _allowed(self, choice: Path, path: Path, entries: Any) -> None:
        """A choice of several."""
        chosen = entries if isinstance(entries, list) else []
        gone = [number for number, one in enumerate(chosen) if self._is_chosen(one)]
        if gone and len(gone) == len(chosen):
            self.cuts.append(Cut(choice))
        else:
            self.cuts += (Cut((*path, number)) for number in gone)

    def _is_chosen(self, choice: Any) -> bool:
        if isinstance(choice, str) and choice.lower().encode() in WORDS:
            return False
        return any(map(self._denied, offers.names(self._wire, choice)))


def _configs(holder: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Google's choices: their keys, and what they say."""
    found = []
    for config in offers.CONFIGS:
        fields = mapping(holder.get(config))
        found += [(config, key, mapping(fields[key])) for key in offers.CALLING if key in fields]
    return found
