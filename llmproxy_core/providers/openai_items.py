"""Entries of the Responses API as a person reads them: the same in `input` and in `output`.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Callable
from typing import Any

from llmproxy_core.model import Part, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, items
from llmproxy_core.providers.parsing import dumps

CALLS = ("function_call", "custom_tool_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")
TOLD = ("arguments", "action", "actions", "operation", "code", "queries")
"""Where the entries of tools say what is to be done."""
RESULTS = ("outputs", "results", "output")
"""Where the tools that the provider runs say what came of it."""


def shown(entry: Body, kind: str) -> list[Part]:
    """An entry that is not a message."""
    id = text_of(entry.get("call_id")) or text_of(entry.get("id")) or None
    if kind in CALLS:
        return [Part("tool_call", arguments(entry), text_of(entry.get("name")), id)]
    if kind.endswith("_output"):
        told = entry.get("output", entry.get("tools"))
        return [Part("tool_result", output(told), None if kind in OUTPUTS else kind, id)]
    if special := SPECIAL.get(kind):
        return [special(entry, id)]
    if kind.endswith("_call"):
        return _hosted(entry, kind, id)
    return [Part("other", kind, id=id)]


def _hosted(entry: Body, kind: str, id: str | None) -> list[Part]:
    """A call of a hosted tool, with what came of it where that is told."""
    asked = next((entry[field] for field in TOLD if entry.get(field)), "")
    text = asked if isinstance(asked, str) else dumps(asked)
    name = text_of(entry.get("name")) or kind
    parts = [Part("tool_call", text, name, id)]
    if picture := text_of(entry.get("result")):
        parts.append(Part("image", attachment(size=len(picture)), id=id))
    if told := next((entry[field] for field in RESULTS if entry.get(field)), None):
        parts.append(Part("tool_result", output(told), name, id))
    if error := entry.get("error"):
        parts.append(Part("tool_result", f"error: {output(error)}", name, id))
    return parts


def _reasoning(entry: Body, id: str | None) -> Part:
    texts = items(entry.get("summary")) + items(entry.get("content"))
    if texts or not entry.get("encrypted_content"):
        return Part("reasoning", "\n\n".join(text_of(part.get("text")) for part in texts), id=id)
    return Part("other", f"reasoning, {_encrypted(entry)}", id=id)


def _compaction(entry: Body, id: str | None) -> Part:
    return Part("other", f"compaction, {_encrypted(entry)}", id=id)


def _encrypted(entry: Body) -> str:
    return f"encrypted, {len(text_of(entry.get('encrypted_content')))} characters"


def _listed(entry: Body, id: str | None) -> Part:
    """The tools of an MCP server."""
    names = ", ".join(text_of(tool.get("name")) for tool in items(entry.get("tools")))
    told = names or output(entry.get("error"))
    return Part("other", f"tools of {text_of(entry.get('server_label'))}: {told}", id=id)


def _approval(entry: Body, id: str | None) -> Part:
    told = f"{text_of(entry.get('name'))} {text_of(entry.get('arguments'))}"
    return Part("other", f"may this be run? {told.strip()}", id=id)


def _approved(entry: Body, id: str | None) -> Part:
    words = "approved" if entry.get("approve") is True else "not approved"
    return Part("other", f"{words} {text_of(entry.get('reason'))}".strip(), id=id)


SPECIAL: dict[str, Callable[[Body, str | None], Part]] = {
    "reasoning": _reasoning,
    "compaction": _compaction,
    "mcp_list_tools": _listed,
    "mcp_approval_request": _approval,
    "mcp_approval_response": _approved,
}


def arguments(item: Body) -> str:
    """Of a call of a client's tool: JSON text, or the free text of a custom tool."""
    value = item.get("arguments", item.get("input"))
    return value if isinstance(value, str) else dumps(value) if value else ""


def output(value: Any) -> str:
    """What a tool gave back: text, a list of parts, a screenshot, lines of a shell."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _piece(value)
    pieces = [_piece(item) for item in items(value)]
    return "\n".join(pieces) if pieces else dumps(value) if value else ""


def _piece(item: Body) -> str:
    if "image_url" in item or "file_id" in item:
        return content(item).text
    words = [text_of(item.get(key)) for key in ("text", "logs", "stdout", "stderr", "message")]
    return "\n".join(word for word in words if word) or dumps(item)


def contents(value: Any) -> list[Part]:
    """The content of a message: text, or a list of parts."""
    if isinstance(value, str):
        return [Part("text", value)] if value else []
    return [content(part) for part in items(value)]


def content(part: Body) -> Part:
    kind = text_of(part.get("type"))
    if kind == "refusal":
        return Part("refusal", text_of(part.get("refusal")))
    if "text" in part:
        return Part("text", text_of(part.get("text")))
    where = text_of(part.get("file_id")) or text_of(part.get("file_url"))
    if kind in ("input_image", "computer_screenshot") or "image_url" in part:
        return Part("image", attachment(text_of(part.get("image_url")) or where))
    if kind == "input_file":
        data = where or text_of(part.get("file_data"))
        return Part("document", attachment(data), text_of(part.get("filename")) or None)
    if kind == "input_audio":
        audio = mapping(part.get("input_audio"))
        size = len(text_of(audio.get("data")))
        return Part("audio", attachment("", text_of(audio.get("format")), size))
    return Part("other", kind or dumps(part)[:300])


def cite(annotations: Any, into: Assembler) -> None:
    """Addresses, files of a vector store, files of a container."""
    for note in items(annotations):
        title = text_of(note.get("title") or note.get("filename"))
        into.cite(title, text_of(note.get("url") or note.get("file_id")))
