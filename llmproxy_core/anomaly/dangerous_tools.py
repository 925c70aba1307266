"""Tool calls that destroy, let somebody in, run what comes from the net, or reach for credentials.

Judged by the tool and by its arguments, taken apart as a shell, a database or a file system would:
a commit message about `rm -rf /` is none. In prose nothing is looked for; a text that is a tool
call in JSON, or a shell command and nothing else, is taken for what it is.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from llmproxy_core.anomaly.dangers import commands, fetched
from llmproxy_core.anomaly.dangers.calls import CODE_FLAGS, SHELLS, WRAPPERS, program
from llmproxy_core.anomaly.dangers.clouds import RULES as CLOUD_RULES
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.dangers.files import RULES as FILE_RULES
from llmproxy_core.anomaly.dangers.files import WIDE
from llmproxy_core.anomaly.dangers.services import RULES as SERVICE_RULES
from llmproxy_core.anomaly.dangers.system import READERS
from llmproxy_core.anomaly.dangers.system import RULES as SYSTEM_RULES
from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.reading import arguments, sql
from llmproxy_core.anomaly.reading.arguments import Field
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.places import METADATA, breadth, credential, persistent

NAME = "dangerous_tools"
LONGEST_BARE = 4000
"""Characters of a text that may be taken for a command."""
FENCE = re.compile(r"^\s*```[a-z]*\n(.*?)\n?```\s*$", re.DOTALL)
PROSE = names(
    "format type copy cut sort read more less tail head watch k op pass install split join time"
    " fetch "
    "init at source view age import service net security timeout command"
)
"""Names of programs that begin sentences just as well."""
OTHERS = names(
    "eval exec powershell pwsh cd export unset truncate socat ssh certutil mshta regsvr32"
    " wevtutil reg vssadmin "
    "bcdedit remove-item set-mppreference add-mppreference set-netfirewallprofile clear-eventlog"
    " del rd erase"
)
COMMAND_SIGNS = ("$(", "$'", "`", ":(", ">", "<", "0<", "{", "(", "r''", "\\")
OPENING = frozenset({"if", "for", "while", "ls;", "true;"})
PROMPT = re.compile(r"^\s*[$#>]\s+")
PATCHED = re.compile(
    r"^\*\*\* (Add|Update|Delete) File: (.{1,300})$|^\+\+\+ b/(.{1,300})$", re.MULTILINE
)
MOST = 20
"""Findings of one text."""
QUOTED_URL = re.compile(r"(?i)^\s*https?://")

type Placed = commands.Placed


class DangerousTools:
    """A detector; see the module."""

    name = NAME

    def find(self, text: Text) -> list[Finding]:
        placed = sorted(_judged(text), key=lambda one: -one[0].score)
        found: dict[str, Finding] = {}
        for danger, start, end in placed:
            if danger.said not in found and len(found) < MOST:
                found[danger.said] = _finding(danger, start, end, text.tool)
        return list(found.values())


def _finding(danger: Danger, start: int, end: int, tool: str) -> Finding:
    who = f"A call of {tool[:60]}" if tool else "A command"
    said = f"{who} {danger.said}."
    return Finding(NAME, "dangerous_tool", danger.score, danger.severity, start, end, said)


def _judged(text: Text) -> Iterator[Placed]:
    if text.kind == "arguments":
        yield from _arguments(text.text, text.tool, 0)
    elif text.kind == "text":
        yield from _alone(text.text)


def _alone(text: str) -> Iterator[Placed]:
    """A text that is nothing but a tool call, or a command."""
    head = text[:200].lstrip()
    if head.startswith("{"):
        called = arguments.call_in(text)
        if called is not None:
            yield from _arguments(text[called[1] :], called[0], called[1])
    elif len(text) <= LONGEST_BARE and (fenced := FENCE.match(text)):
        yield from _shifted(commands.dangers(fenced[1]), fenced.start(1))
    elif len(text) <= LONGEST_BARE:
        prompt = PROMPT.match(text)
        start = prompt.end() if prompt else 0
        if _is_command(text[start:]):
            yield from _shifted(commands.dangers(text[start:]), start)
        elif bomb := fetched.bomb(text):
            yield commands.BOMB, bomb.start(), bomb.end()
        elif sql.is_sql(text) and text.rstrip().endswith(";"):
            yield from _statements(text, 0)


def _is_command(text: str) -> bool:
    """Does a text begin like a shell's command and not end like a sentence?"""
    words = text.split(maxsplit=2)
    if not words or text.rstrip()[-1] in ".?:":
        return False
    if words[0].startswith(COMMAND_SIGNS) or (words[0] in OPENING and ";" in text):
        return True
    if words[0] != words[0].lower() and "-" not in words[0]:
        return False
    name = program(words[0])
    if name in PROSE:
        return len(words) > 1 and words[1][0] in "-/~.$<>(0123456789"
    return name in _known()


@cache
def _known() -> frozenset[str]:
    """Programs whose names begin a command, where one is looked for in a text."""
    names = {
        *FILE_RULES,
        *SYSTEM_RULES,
        *SERVICE_RULES,
        *CLOUD_RULES,
        *SHELLS,
        *WRAPPERS,
        *READERS,
        *CODE_FLAGS,
    }
    return frozenset(names | OTHERS)


def _arguments(text: str, tool: str, offset: int) -> Iterator[Placed]:
    packed = arguments.unpacked(text)
    if packed is not None:
        yield from (
            (danger, offset, offset + len(text)) for danger, _, _ in _arguments(packed, tool, 0)
        )
        return
    for field in arguments.fields(text):
        for danger, start, end in _field(field, tool):
            first, last = field.place(start, end)
            yield danger, offset + first, offset + last


def _field(field: Field, tool: str) -> Iterable[Placed]:
    kind = arguments.kind(field, tool)
    if kind == "command":
        return commands.dangers(field.value)
    if kind == "code":
        return _code(field.value)
    if kind == "query":
        return _statements(field.value, 0)
    if kind == "path":
        return _path(field.value, tool)
    return _other(field.value)


def _code(text: str) -> Iterator[Placed]:
    """A script; where it reads like a shell's it is judged as one, too."""
    yield from commands.in_code(text)
    if _is_command(text) or text.lstrip().startswith(("!", "%%bash", "#!/bin/")):
        yield from commands.dangers(text.lstrip("!% \n"))


def _statements(text: str, offset: int) -> Iterator[Placed]:
    if sql.is_sql(text):
        for score, severity, said, start, end in sql.dangers(text):
            yield Danger(score, severity, f"runs SQL: {said}"), offset + start, offset + end


def _path(path: str, tool: str) -> Iterator[Placed]:
    whole = (0, len(path))
    if METADATA.search(path):
        yield Danger(0.95, "critical", "asks the cloud's metadata service for credentials"), *whole
    if arguments.DELETING_TOOL.search(tool):
        kind = breadth(path)
        if kind is not None:
            yield WIDE[kind], *whole
        return
    writes = arguments.WRITING_TOOL.search(tool) is not None
    place = persistent(path) if writes else credential(path)
    if place is not None:
        doing = "writes to" if writes else "reads"
        score = {"critical": 0.95, "high": 0.85}.get(place[0], 0.6)
        yield Danger(score, place[0], f"{doing} {place[1]}"), *whole


def _other(value: str) -> Iterator[Placed]:
    """A patch names the files it writes; an address may be that of the metadata service."""
    if QUOTED_URL.match(value) and METADATA.search(value[:300]):
        yield (
            Danger(0.95, "critical", "asks the cloud's metadata service for credentials"),
            0,
            len(value),
        )
    for found in PATCHED.finditer(value):
        place = persistent((found[2] or found[3]).strip())
        if place is not None and found[1] != "Delete":
            score = 0.85 if place[0] == "high" else 0.6
            yield Danger(score, place[0], f"writes to {place[1]}"), found.start(), found.end()


def _shifted(placed: Iterable[Placed], by: int) -> Iterator[Placed]:
    for danger, start, end in placed:
        yield danger, start + by, end + by
