"""Request bodies that carry files: multipart/form-data (RFC 7578)."""

import re

from llmproxy_core.model import Json

MOST = 1000
"""Parts of a form that are read."""
HEAD = 4096
"""Bytes of a part's headers that are looked at."""
NAME = re.compile(r';\s*name="([^"]*)"')
FILENAME = re.compile(r';\s*filename="([^"]*)"')
TYPE = re.compile(r"^content-type:[ \t]*([^\r\n;]*)", re.IGNORECASE | re.MULTILINE)


def is_form(data: bytes) -> bool:
    """Two dashes begin a form, and no JSON."""
    return data[:2] == b"--"


def read_form(data: bytes) -> tuple[dict[str, Json], str | None]:
    """Fields by name, and what is wrong. A file is `{"filename", "type", "size"}` (bytes).

    The boundary is the first line of the body. A name that comes again makes a list.
    """
    boundary = data[:HEAD].partition(b"\n")[0].rstrip()
    fields: dict[str, Json] = {}
    start, found = len(boundary), 0
    while found < MOST:
        if data[start : start + 2] == b"--":
            return fields, None
        end = data.find(b"\n" + boundary, start)
        if end < 0:
            return fields, "the form ends early"
        _part(data, start, end, fields)
        start, found = end + 1 + len(boundary), found + 1
    return fields, f"the form has more than {MOST} parts"


def _part(data: bytes, start: int, end: int, fields: dict[str, Json]) -> None:
    end -= data[end - 1 : end] == b"\r"
    gap = data.find(b"\r\n\r\n", start, min(start + HEAD, end))
    head = data[start : max(gap, start)].decode("utf-8", "replace")
    name = NAME.search(head)
    if name is None:
        return
    value: Json = data[gap + 4 : end].decode("utf-8", "replace")
    if filename := FILENAME.search(head):
        kind = TYPE.search(head)
        size = max(0, end - gap - 4)
        value = {"filename": filename[1], "type": kind[1] if kind else "", "size": size}
    before = fields.get(name[1])
    if before is None:
        fields[name[1]] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        fields[name[1]] = [before, value]
