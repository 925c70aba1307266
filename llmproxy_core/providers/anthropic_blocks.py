"""Content blocks of Anthropic as a person reads them: the same in requests and in answers.

Source: https://docs.anthropic.com/en/api/messages and the pages of its server tools
"""

from typing import Any

from llmproxy_core.model import Json, Part, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, items
from llmproxy_core.providers.parsing import dumps

SERVER_CALLS = ("server_tool_use", "mcp_tool_use")
OPAQUE = {"redacted_thinking": "data", "compaction": "encrypted_content"}
"""Blocks with something that only the provider can read, and its field."""


def parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part("text", content)] if content else []
    return [part(block) for block in items(content)]


def part(block: Body) -> Part:
    kind = text_of(block.get("type"))
    if kind == "text":
        return Part("text", text_of(block.get("text")))
    if kind == "thinking":
        return Part("reasoning", text_of(block.get("thinking")))
    if kind == "tool_use" or kind in SERVER_CALLS:
        arguments = block.get("input")
        text = "" if arguments is None else dumps(arguments)
        return Part("tool_call", text, text_of(block.get("name")), text_of(block.get("id")) or None)
    if kind.endswith("tool_result"):
        name = None if kind == "tool_result" else kind.removesuffix("_tool_result")
        id = text_of(block.get("tool_use_id")) or None
        return Part("tool_result", result(block.get("content")), name, id)
    if kind in ("image", "document"):
        title = text_of(block.get("title")) or None
        shown = _source(mapping(block.get("source")))
        return Part("image" if kind == "image" else "document", shown, title)
    return Part("other", _other(block, kind))


def _other(block: Body, kind: str) -> str:
    if kind == "compaction" and (summary := text_of(block.get("content"))):
        return f"compaction: {summary}"
    if field := OPAQUE.get(kind):
        return f"{kind}, {len(text_of(block.get(field)))} characters"
    name = text_of(block.get("tool_name")) or text_of(mapping(block.get("tool")).get("name"))
    return f"{kind or 'block'} {name}".strip()


def result(content: Json) -> str:
    """What a tool gave back: text, blocks, or an object of a server tool's own kind."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _own(content)
    return "\n".join(_piece(block) for block in items(content)) or (
        dumps(content) if content else ""
    )


def _piece(block: Body) -> str:
    if block.get("type") == "web_search_result":
        return f"{text_of(block.get('title'))} {text_of(block.get('url'))}".strip()
    if (kind := text_of(block.get("type"))).endswith("tool_result"):
        return f"[{kind}]"
    shown = part(block)
    return shown.text if shown.kind == "text" else f"[{shown.kind} {shown.text}]"


def _own(content: Body) -> str:
    """Of code, files, pages, searches for tools, advisors; an error; dumped where it is new."""
    if "stdout" in content or "stderr" in content:
        words = [text_of(content.get(field)) for field in ("stdout", "stderr")]
        code = content.get("return_code")
        return "\n".join([word for word in words if word] + ([f"exit code {code}"] if code else []))
    if (page := mapping(content.get("content"))) and "source" in page:
        return f"{text_of(content.get('url'))}\n{_source(mapping(page.get('source')))}".strip()
    if found := items(content.get("tool_references")):
        return "\n".join(text_of(tool.get("tool_name")) for tool in found)
    return text_of(content.get("text")) or dumps(content)


def _source(source: Body) -> str:
    where = text_of(source.get("url")) or text_of(source.get("file_id"))
    data = text_of(source.get("data"))
    if source.get("type") == "text":
        return data
    return attachment(where, text_of(source.get("media_type")), len(data))


def cite(citation: Body, into: Assembler) -> None:
    """A page, a search result, or a place in a document of the request."""
    title = text_of(citation.get("title")) or text_of(citation.get("document_title"))
    into.cite(title, text_of(citation.get("url")) or text_of(citation.get("source")))


def surroundings(body: Body, into: Assembler) -> None:
    """What comes with an answer and is not in its content: container, edits, why it stopped."""
    if id := text_of(mapping(body.get("container")).get("id")):
        into.note(f"container {id}")
    for edit in items(mapping(body.get("context_management")).get("applied_edits")):
        into.note(f"context edited: {dumps(edit)}")
    if details := mapping(body.get("stop_details")):
        told = [text_of(details.get(field)) for field in ("type", "category", "explanation")]
        into.note(f"stopped: {', '.join(word for word in told if word)}")
