"""What a call is to the one it comes from, in words."""

from uuid import UUID

from llmproxy_core.store.call_rows import Relation
from llmproxy_core.tui import plain
from llmproxy_core.tui.flow_columns import short_id

WORDS: dict[Relation, str] = {
    "append": "continues",
    "retry": "retry of",
    "branch": "another branch from",
    "compaction": "compacted, continues",
    "subagent": "sub-agent of",
}
HEADINGS: dict[Relation, str] = {
    "root": "conversation",
    "append": "conversation",
    "retry": "conversation",
    "branch": "branch",
    "compaction": "compacted",
    "subagent": "sub-agent",
}


def sentence(
    relation: Relation, parent: UUID | None, call: str | None = None, tool: str | None = None
) -> str:
    """`continues 4f4528`, `sub-agent of 4f4528, called by Task toolu_01…`; empty of a beginning."""
    if parent is None or relation not in WORDS:
        return "compacted; what it continues is not known" if relation == "compaction" else ""
    said = f"{WORDS[relation]} {short_id(parent)}"
    if not call and not tool:
        return said
    by = " ".join(plain.line(part) for part in (tool, call) if part)
    return f"{said}, called by {by}"
