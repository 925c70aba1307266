"""The folder that each session works in: agents tell it once, and not in every call.

Calls beside the conversation (a title, a summary) and turns that continue what the provider keeps
name their session only. It is remembered by ids that no two sessions share, apart for each user of
the proxy and each key, until the proxy stops.
"""

from llmproxy_core.model import Headers
from llmproxy_core.namespace import facts
from llmproxy_core.providers.settings import SESSION_HEADERS, is_unique

MOST = 10_000
"""Ids that are remembered."""

type Owner = tuple[str | None, str | None]
"""User of the proxy, fingerprint of the key."""


class Folders:
    def __init__(self) -> None:
        self._known: dict[tuple[Owner, str], str] = {}

    def sessions(self, owner: Owner, headers: Headers, body: bytes) -> list[str]:
        """For `Caller.sessions`: the ids of a body, then the folder that it or its session told."""
        told = facts.session(body)
        named = [value for name, value in headers if name.lower() in SESSION_HEADERS]
        marks = [(owner, id) for id in (*named, *told.ids) if is_unique(id)]
        folder = told.folder or next((self._known[m] for m in marks if m in self._known), None)
        if folder is None:
            return told.ids
        for mark in marks:
            self._known.pop(mark, None)
            self._known[mark] = folder
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return [*told.ids, folder]
