"""Operations on a request, in words: what an edit, a variant or a rule does."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from llmproxy_core.tui import plain
from llmproxy_core.tui.widgets.text_pane import Line

LONGEST = 2_000
"""Characters of a text."""
TEXTS = ("text", "replacement", "messages", "schema", "tools")
"""Keys whose values have lines of their own."""


def short(operations: Iterable[Mapping[str, Any]]) -> str:
    """`clamp max_tokens, append system`: for a column."""
    said = []
    for one in operations:
        about = next((one[key] for key in ("parameter", "at", "name", "to") if key in one), "")
        said.append(f"{one.get('op', '?')} {about}".replace("_", " ").strip())
    return plain.line(", ".join(said))


def lines(operations: Iterable[Mapping[str, Any]]) -> list[Line]:
    """One operation after the other, texts as they are."""
    found: list[Line] = []
    for one in operations:
        small = {key: value for key, value in one.items() if key not in ("op", *TEXTS)}
        values = ", ".join(f"{key} = {_value(value)}" for key, value in small.items())
        name = plain.line(str(one.get("op", "?")))
        found.append(Line(f"{name}: {plain.line(values, LONGEST)}" if values else name, "field"))
        for key in TEXTS:
            if key in one:
                value = one[key]
                text = value if isinstance(value, str) else _value(value)
                found += [Line(f"    {line}") for line in plain.block(text[:LONGEST]).split("\n")]
    return found


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
