"""What the proxy needs to know a prompt's pattern again: templates, no examples and no counts."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.templates import Runs

VERSION = 1
type Row = tuple[str, Runs, str]
"""Id, template, and a long word of its wording."""


class Recognised(Protocol):
    """A pattern, as far as it is recognised by."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def runs(self) -> Runs: ...
    def pieces(self) -> list[str | None]: ...


class Signatures:
    """Patterns by kind."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self._rows = {kind: list(known) for kind, known in rows.items()}
        self._indexes = {
            kind: (
                Index([runs for _, runs, _ in known], [word for _, _, word in known]),
                [id for id, _, _ in known],
            )
            for kind, known in self._rows.items()
        }

    @classmethod
    def of(cls, patterns: Iterable[Recognised]) -> "Signatures":
        rows: dict[str, list[Row]] = defaultdict(list)
        for one in patterns:
            rows[one.kind].append((one.id, one.runs, _word(one.pieces())))
        return cls(rows)

    def match(self, kind: str, text: str) -> str | None:
        """The id of the pattern that a prompt has, the same as the miner would find."""
        index, ids = self._indexes.get(kind, (None, ()))
        if index is None:
            return None
        number = index.best_in(text)
        return None if number is None else ids[number]

    def to_json(self) -> dict[str, Any]:
        kinds = {
            kind: [[id, list(runs), word] for id, runs, word in known]
            for kind, known in self._rows.items()
        }
        return {"version": VERSION, "kinds": kinds}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Signatures":
        """Raises ValueError for what `to_json` did not write."""
        if state.get("version") != VERSION:
            raise ValueError(f"signatures of version {state.get('version')!r}: 1 is wanted")
        try:
            rows = {
                str(kind): [(str(id), tuple(map(str, runs)), str(word)) for id, runs, word in known]
                for kind, known in state["kinds"].items()
            }
            return cls(rows)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as exc:
            raise ValueError(f"not signatures of patterns: {exc!r}") from exc


def _word(pieces: Sequence[str | None]) -> str:
    words = (word for piece in pieces if piece for word in re.findall(r"[A-Za-z]{4,}", piece))
    return max(words, key=len, default="")
