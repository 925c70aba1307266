"""The model that a path names, of the providers that put it there."""

from urllib.parse import unquote

LONGEST = 512
"""Characters of a name."""


def model_in_path(path: str) -> str | None:
    """Bedrock's /model/NAME/converse, Google's /models/NAME:method, Azure's /deployments/NAME/...,
    and, of a WebSocket, `?model=NAME`; the name may be an ARN with escaped slashes."""
    path, _, query = path.partition("?")
    for before in ("/model/", "/deployments/"):
        if before in path:
            rest = path.partition(before)[2]
            return unquote(rest.partition("/")[0])[:LONGEST] or None
    name, _, method = path.rpartition("/models/")[2].rpartition(":")
    if method and name and "/" not in name:
        return unquote(name)[:LONGEST]
    for field in query.split("&"):
        if field.startswith("model="):
            return unquote(field[6:])[:LONGEST] or None
    return None
