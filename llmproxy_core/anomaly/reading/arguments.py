"""The arguments of a tool call, string by string, with where each stands in the JSON text."""

import json
import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Literal

from llmproxy_core.anomaly.reading.names import names

MOST = 5000
"""Strings of one call."""
AFTER = re.compile(r"\s*+")

COMMAND_KEYS = names(
    "command cmd commands script shell bash bash_command shell_command cmdline command_line "
    "commandline run exec powershell terminal_command argv shell_script bash_script"
)
CODE_KEYS = names("code python python_code source snippet program javascript")
QUERY_KEYS = names("query sql statement sql_query statements queries")
PATH_KEYS = names(
    "path file_path filepath file filename file_name target_file notebook_path absolute_path "
    "relative_path target destination dest dst source_path uri source paths files directory dir "
    "new_path old_path output_path"
)
CONTENT_KEYS = names(
    "content contents text new_string new_str file_text insert_text data body code_edit "
    "new_content insert append file_content"
)
SHELL_TOOL = re.compile(
    r"(?i)bash|shell|terminal|exec|command|cmd|powershell|pwsh|subprocess|console|\bsh\b|(?:^|_)run"
)
CODE_TOOL = re.compile(r"(?i)python|code|jupyter|notebook|repl|interpreter|javascript|\bnode\b")
QUERY_TOOL = re.compile(
    r"(?i)sql|query|postgres|mysql|database|(?:^|_)db(?:_|$)|bigquery|snowflake"
)
WRITING_TOOL = re.compile(
    r"(?i)write|edit|create|append|replace|insert|update|patch|save|put|modify"
)
DELETING_TOOL = re.compile(r"(?i)delete|remove|unlink|rmdir|rmtree|destroy|purge|trash")

NAMED = ("name", "tool", "tool_name", "function", "action", "recipient_name")
GIVEN = ("arguments", "args", "input", "parameters", "params", "action_input", "tool_input")

type FieldKind = Literal["command", "code", "query", "path", "content", "other"]


@dataclass(frozen=True, slots=True)
class Field:
    """A string among the arguments; `key` in lower case. `start:end`: its place in the JSON text,
    without the quotes. `exact`: it stands there letter by letter, with no escapes."""

    key: str
    value: str
    start: int
    end: int

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the value stands in the JSON text; all of it where there are escapes."""
        if self.end - self.start != len(self.value):
            return self.start, self.end
        return self.start + start, self.start + min(end, len(self.value))


def fields(text: str) -> list[Field]:
    """Of JSON text, cut off or not; of any other text one field without a key.

    An array of words is one command, `["bash", "-lc", "rm x"]`, one of commands has a line each.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return [Field("", text, 0, len(text))]
    found: list[Field] = []
    strings: list[tuple[str, int, int]] = []
    key, at, n, listed = "", 0, 0, False
    while (start := _next_string(text, at)) < len(text) and n < MOST:
        between = text[at:start]
        value, end = _string(text, start)
        if strings and not (listed and between.strip() == ","):
            found.append(_field(key, strings))
            strings = []
        colon = AFTER.match(text, end)
        at, n = end, n + 1
        if colon and text[colon.end() : colon.end() + 1] == ":":
            key, at = value.lower(), colon.end() + 1
            continue
        listed = bool(strings) or "[" in between
        strings.append((value, start + 1, end - 1))
    return [*found, _field(key, strings)] if strings else found


def kind(field: Field, tool: str) -> FieldKind:
    """What a field is, by its key and by the name of the tool."""
    key = field.key.replace("-", "_")
    if key in COMMAND_KEYS:
        return "command"
    if key in QUERY_KEYS and not SHELL_TOOL.search(tool):
        return "query"
    if key in CODE_KEYS and not (key == "source" and not CODE_TOOL.search(tool)):
        return "command" if SHELL_TOOL.search(tool) and not CODE_TOOL.search(tool) else "code"
    if key in CONTENT_KEYS and not SHELL_TOOL.search(tool):
        return "content"
    if key in PATH_KEYS:
        return "path"
    if key in ("", "input", "args", "arguments", "value", "text", "content", "query", "data"):
        return _by_tool(tool)
    return "other"


def _by_tool(tool: str) -> FieldKind:
    for pattern, kind_ in ((QUERY_TOOL, "query"), (CODE_TOOL, "code"), (SHELL_TOOL, "command")):
        if pattern.search(tool):
            return kind_  # type: ignore[return-value]
    return "other"


def _string(text: str, quote: int) -> tuple[str, int]:
    """The string whose opening quote is at `quote`, and the place after the closing one."""
    try:
        value, end = scanstring(text, quote + 1, False)
    except ValueError:  # cut off, or an escape that JSON does not have
        end = len(text) + 1
        value = text[quote + 1 :]
    return value, end


def _next_string(text: str, at: int) -> int:
    start = text.find('"', at)
    return len(text) if start < 0 else start


def _field(key: str, strings: list[tuple[str, int, int]]) -> Field:
    start, end = strings[0][1], strings[-1][2]
    if len(strings) == 1:
        return Field(key, strings[0][0], start, end)
    values = [value for value, _, _ in strings]
    whole_commands = any(map(str.isspace, values[0]))
    joined = "\n".join(values) if whole_commands else " ".join(map(_quoted, values))
    return Field(key, joined, start, end)


def _quoted(word: str) -> str:
    if word and not re.search(r"[\s'\"\\$`|&;<>()#]", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def call_in(text: str) -> tuple[str, int] | None:
    """The tool's name, if a text is nothing but a tool call written as a JSON object, and where its
    arguments begin: `{"name": "bash", "arguments": {...}}`."""
    if text.lstrip()[:1] != "{" or text.rstrip()[-1:] != "}":
        return None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    function = whole.get("function")
    inner = function if isinstance(function, dict) else whole
    name = next((inner[key] for key in NAMED if isinstance(inner.get(key), str)), None)
    key = next((key for key in GIVEN if key in inner), None)
    if name is None or key is None:
        return None
    at = text.find(f'"{key}"')
    return name, text.find(":", at) + 1


def unpacked(text: str) -> str | None:
    """Arguments that are a JSON text within a JSON text, as OpenAI has them."""
    head = text.lstrip()
    if not head.startswith('"'):
        return None
    return _string(head, 0)[0]
