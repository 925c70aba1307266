"""The folder that a coding agent works in, as it tells its model.

Known are the words of Claude Code, Codex, Gemini CLI, opencode, Cline and those who copy them:
`Primary working directory: /x`, `Working Directory: /x`, `<cwd>/x</cwd>`, `Workspace
Directories:` and a list, `# Current Working Directory (/x) Files`.
"""

import re
from collections.abc import Iterator

MARKS = (
    "orking directory: ",
    "orking Directory: ",
    "orking directory**: ",
    "orking Directory**: ",
    "orkspace Directories:",
    "orking in the directory: ",
    "orking Directory (",
    "orkspace Directory (",
    "<cwd>",
)
"""What stands before it. Searched for one by one, which is faster than any expression."""
TRIES = 16
"""So often a mark is looked for that no folder follows."""
FOLDER = re.compile(r"[*\s]{0,8}(?:- )?[`\"']?((?:/|~|[A-Za-z]:[\\/]|\\\\)[^\r\n<>`\"'*]{0,1023})")


def folder_in(text: str) -> str | None:
    """The first folder that is told; None if none is."""
    found = [hit for mark in MARKS if (hit := _first(text, mark))]
    return min(found)[1] if found else None


def _first(text: str, mark: str) -> tuple[int, str] | None:
    for at in _places(text, mark):
        if found := FOLDER.match(text, at + len(mark)):
            folder = found[1].partition(") ")[0] if mark.endswith("(") else found[1]
            return at, folder.rstrip(" \t.,;)" if mark.endswith("(") else " \t")
    return None


def _places(text: str, mark: str) -> Iterator[int]:
    at = -1
    for _ in range(TRIES):
        at = text.find(mark, at + 1)
        if at < 0:
            return
        yield at
