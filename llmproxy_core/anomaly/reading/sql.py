"""SQL by its tokens: statements that destroy, or take everything out of the database."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.anomaly.reading.names import names

MOST = 50_000
"""Tokens of one text."""
TOKEN = re.compile(
    r"""(?x)
      --[^\n]*+ | \#[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)
    | '(?:[^'\\]|''|\\.)*+(?:'|\\?\Z) | "(?:[^"\\]|""|\\.)*+(?:"|\\?\Z) | `[^`]*+(?:`|\Z)
    | \[[^\]\n]{0,128}+\]
    | \$\$ | [A-Za-z_@\#$][\w@\#$.]*+ | [0-9][\w.]*+ | [<>!=]=? | \S""",
    re.DOTALL,
)
FIRST = names(
    "select insert update delete drop truncate alter create grant revoke with explain begin copy"
    " load "
    "set use show call exec execute merge replace vacuum attach pragma"
)
DROPPED = {
    "table": "high",
    "database": "critical",
    "schema": "critical",
    "index": "low",
    "view": "low",
    "user": "high",
    "role": "high",
    "tablespace": "critical",
    "keyspace": "critical",
    "collection": "high",
    "owned": "critical",
    "column": "medium",
    "materialized": "low",
    "catalog": "critical",
}
LOUD: dict[str, Severity] = {"high": "high", "critical": "critical", "medium": "medium"}
TRUE = {("1", "=", "1"), ("true",), ("1",), ("'1'", "=", "'1'"), ("1", "<", "2"), ("not", "false")}

type Danger = tuple[float, Severity, str, int, int]
"""Score, severity, what is wrong, start and end in the text."""


def dangers(text: str) -> Iterator[Danger]:
    """What a SQL text would do that cannot be undone."""
    for words, start, end in _statements(text):
        found = _judged(words)
        if found is not None:
            yield (*found, start, end)


def is_sql(text: str) -> bool:
    """Does a text begin like a statement?"""
    found = next((token[0] for token in TOKEN.finditer(text[:2000]) if not _comment(token[0])), "")
    return found.lower() in FIRST


def _statements(text: str) -> Iterator[tuple[list[str], int, int]]:
    words: list[str] = []
    start = end = 0
    for n, token in enumerate(TOKEN.finditer(text)):
        said = token[0]
        if n > MOST:
            break
        if said == ";":
            if words:
                yield words, start, end
            words = []
        elif not _comment(said):
            if not words:
                start = token.start()
            end = token.end()
            words.append(said if said[0] in "'\"`[" else said.lower())
    if words:
        yield words, start, end


def _comment(token: str) -> bool:
    return token.startswith(("--", "/*")) or (token.startswith("#") and not token[1:2].isalnum())


def _judged(words: list[str]) -> tuple[float, Severity, str] | None:
    while words and words[0] in ("explain", "analyze", "begin", "transaction", "go", "("):
        if words[0] == "explain" and words[1:2] != ["analyze"]:
            return None
        words = words[1:]
    if not words:
        return None
    first = _main_verb(words)
    if first == "drop":
        return _drop(words[words.index("drop") :])
    if first == "truncate":
        return 0.9, "high", "TRUNCATE empties a table"
    if first == "delete" and "from" in words and not _limited(words):
        return 0.9, "high", "DELETE without a WHERE that limits it empties a table"
    if first == "update" and "set" in words and not _limited(words):
        return 0.8, "high", "UPDATE without a WHERE that limits it changes every row"
    if first == "alter" and "drop" in words:
        return _altered(words)
    return _program(words, first)


def _main_verb(words: list[str]) -> str:
    """Of `WITH x AS (...) DELETE ...`, the verb after the brackets."""
    if words[0] != "with":
        return words[0]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in ("select", "insert", "update", "delete", "merge"):
            return word
    return "with"


def _drop(words: list[str]) -> tuple[float, Severity, str] | None:
    kind = next((word for word in words[1:4] if word in DROPPED), "")
    severity = LOUD.get(DROPPED.get(kind, ""))
    if severity is None or "temporary" in words[:3]:
        return None
    return 0.95, severity, f"DROP {kind.upper()} deletes it with all that is in it"


def _altered(words: list[str]) -> tuple[float, Severity, str] | None:
    at = words.index("drop")
    if words[at + 1 : at + 2] in (
        ["constraint"],
        ["index"],
        ["default"],
        ["not"],
        ["primary"],
        ["foreign"],
    ):
        return None
    return 0.6, "medium", "ALTER ... DROP deletes a column with its data"


def _limited(words: list[str]) -> bool:
    """Is there a WHERE that is not true of every row, or a LIMIT?"""
    if "limit" in words or "top" in words or "join" in words or "using" in words:
        return True
    if "where" not in words:
        return False
    condition = tuple(word for word in words[words.index("where") + 1 :] if word not in "()")
    return condition not in TRUE and not (
        len(condition) > 4 and condition[-4:] in {("or", *one) for one in TRUE}
    )


def _program(words: list[str], first: str) -> tuple[float, Severity, str] | None:
    joined = set(words)
    if "xp_cmdshell" in joined or "sys_exec" in joined or "master..xp_cmdshell" in joined:
        return 0.95, "critical", "SQL that runs a program on the database's machine"
    if first == "copy" and "program" in joined:
        return 0.95, "critical", "COPY ... PROGRAM runs a program on the database's machine"
    if "outfile" in joined or "dumpfile" in joined:
        return 0.7, "high", "INTO OUTFILE writes a file on the database's machine"
    if (
        first == "grant"
        and "all" in words[1:3]
        and ("*" in joined or "superuser" in joined or "public" in joined)
    ):
        return 0.7, "high", "GRANT ALL hands over every right"
    if "superuser" in joined and first in ("alter", "create"):
        return 0.7, "high", "a database user is made a superuser"
    return None
