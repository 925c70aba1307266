"""System prompts and tool sets as lines that can be compared, and that say nothing of the moment."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from llmproxy_core.conversations.messages import unmarked
from llmproxy_core.conversations.wrapping import unwrapped
from llmproxy_core.model import mapping
from llmproxy_core.patterns.constant import SLOT
from llmproxy_core.policies.offers import INNER, ITEMS, LISTS, holders, names
from llmproxy_core.providers.format import items
from llmproxy_core.providers.frames import FRAMED, read_frames
from llmproxy_core.providers.parsing import dumps, parse

MOST_LINES = 4_000
LONGEST = 4_000
"""Characters of a line; what is behind them is a line of its own."""
MOST_TOOLS = 2_000
MOST = 2**20
"""Characters of a system prompt that are read."""
NAMING = 200
"""Characters of a line that names something; a longer one says more than that."""
CHECKOUT = re.compile(
    r"[0-9a-f]{7,40} \S|(?: [MADRCU]|[MADRCU] |[MADRCU]{2}|\?\?|!!) \S|[MADRCU?]{1,2} \S*[./]\S*$"
)
"""A line of `git log --oneline` or `git status --short`."""

_MONTHS = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
    r"|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet"
    r"|août|septembre|octobre|novembre|décembre"
)
_DAYS = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
    rf"|\b(?:{_DAYS},?\s+)?(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b"
    rf"|\b(?:{_DAYS},?\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:{_MONTHS})(?:,?\s+\d{{4}})?\b"
    r"|\b\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]m)?\b"
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{12,128}\b"
    r"|\b\d{7,40}\b"
    r"|(?<![\w.:/])(?:~|[a-z]:)?(?:[/\\][\w.@+-]{1,100}){2,30}[/\\]?"
    r"|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}",
    re.IGNORECASE,
)
"""Times, ids, paths and addresses: a prompt that differs only in them has not been changed."""
TELLING = re.compile(r"[\d/\\@]")
"""A line with none of these has nothing that passes, and is not searched for it."""


def system_lines(text: str) -> list[str]:
    """The lines of a system prompt that say something, with a slot for what passes.

    Without what agents tell of their surroundings: tags such as `<env>`, the state of a checkout.
    """
    found: list[str] = []
    for line in unwrapped(text[:MOST]).split("\n", MOST_LINES)[:MOST_LINES]:
        if line.strip() and not CHECKOUT.match(line):
            found += (line[at : at + LONGEST] for at in range(0, len(line), LONGEST))
    plain = (" ".join(lasting(line).split()) for line in found[:MOST_LINES])
    return [line for line in plain if line]


def lasting(line: str) -> str:
    """With a slot for each thing that passes."""
    return PASSING.sub(SLOT, line) if TELLING.search(line) else line


def tool_lines(wire: str, body: bytes) -> list[str]:
    """One line for each tool that a request offers: its name and its JSON, sorted.

    `body`: decoded. Raises nothing. The order of tools and of keys, and marks of prompt caches,
    make no difference.
    """
    value = read_frames(body)[0] if wire in FRAMED else parse(body)[0]
    found: set[str] = set()
    for entry in _entries(wire, value):
        name = next(iter(names(wire, entry)), "")
        found.add(f"{name} {_text(entry)}")
        if len(found) == MOST_TOOLS:
            break
    return sorted(found)


def _entries(wire: str, value: Any) -> Iterator[Any]:
    requests = [value]
    if wire in FRAMED:
        frames = items(mapping(value).get("frames"))
        requests = [frame.get("data") for frame in frames if frame.get("from") == "client"]
    for request in requests:
        for _, holder in holders(wire, mapping(request)):
            yield from _offered(holder)
            for item in items(holder.get(ITEMS)):
                yield from _offered(item)


def _offered(holder: Any) -> Iterator[Any]:
    for key in LISTS:
        for entry in items(holder.get(key)):
            inner = [one for inner in INNER for one in items(entry.get(inner))]
            yield from inner or [entry]


def _text(entry: Any) -> str:
    plain = unmarked(entry)
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return dumps(plain)


def heads(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line as what it begins with and the rest: `User name:` and `Bob`.

    The rest is empty where a line does not name anything that way.
    """
    for line in lines:
        head, colon, rest = line[:80].partition(":")
        if colon and rest.strip() and len(head.split()) <= 6 and len(line) <= NAMING:
            yield head, line[len(head) + 1 :].strip()
        else:
            yield line, ""
