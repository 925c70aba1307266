"""`openai.chat`: POST /chat/completions, of OpenAI and of everybody who speaks like it.

Reads the dialects, too: Mistral's lists of chunks, DeepSeek's `reasoning_content`, OpenRouter's and
Groq's `reasoning`, xAI's and Google's counters that leave reasoning out, legacy functions.
Source: https://platform.openai.com/docs/api-reference/chat
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, Role, Tool, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, deployment, items, total
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"messages", "tools", "functions"})
EXTRAS = frozenset({"executed_tools", "audio", "images", "annotations"})
ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}


class OpenAIChat:
    def request(self, body: Body, path: str) -> Request:
        return Request(
            model=text_of(body.get("model")) or deployment(path),
            stream=body.get("stream") is True,
            messages=[read_message(message) for message in items(body.get("messages"))],
            tools=[read_tool(tool) for tool in items(body.get("tools"))]
            + [read_tool({"function": function}) for function in items(body.get("functions"))],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        _head(body, into)
        for position, choice in enumerate(items(body.get("choices"))):
            index = choice.get("index")
            index = index if type(index) is int else position
            into.choice(index)
            _said(mapping(choice.get("message")), index, into)
            _end(choice, index, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        _head(event, into)
        choices = event.get("choices")
        if not isinstance(choices, list):
            _no_choices(name, event, into)
            return
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            index = index if type(index) is int else 0
            into.choice(index)
            said = choice.get("delta") or choice.get("message")
            if isinstance(said, dict):
                _said(said, index, into)
            if choice.get("finish_reason") is not None or "error" in choice:
                _end(choice, index, into)


def _head(body: Body, into: Assembler) -> None:
    if into.id is None:
        into.id = text_of(body.get("id")) or None
    if into.model is None:
        into.model = text_of(body.get("model")) or None
    usage = body.get("usage") or mapping(body.get("x_groq")).get("usage")
    if isinstance(usage, dict):
        into.usage = read_usage(usage)
        _cite(body, into)


def _cite(body: Body, into: Assembler) -> None:
    """The sources of Perplexity and xAI; they come with the usage, if not before, too."""
    found = items(body.get("search_results"))
    for result in found:
        into.cite(text_of(result.get("title")), text_of(result.get("url")))
    citations = body.get("citations")
    for url in citations if isinstance(citations, list) and not found else []:
        into.cite("", text_of(url))


def _no_choices(name: str, event: Body, into: Assembler) -> None:
    error = read_error(event) or (read_error({"error": event}) if name == "error" else None)
    if error:
        into.error = error
        into.closed = True
    elif "usage" not in event and "x_groq" not in event:
        into.unknown_event(name or text_of(event.get("object")) or "without choices")


def _end(choice: Body, index: int, into: Assembler) -> None:
    reason = choice.get("finish_reason")
    if reason is not None:
        into.finish(str(reason), index)
        # Not everybody sends [DONE] after it; some send an empty reason before it.
        into.closed = into.closed or (reason != "" and into.finished())
    if (checked := choice.get("content_filter_results")) is not None:
        _filtered(mapping(checked), index, into)
    if (error := choice.get("error")) and into.error is None:
        into.error = read_error({"error": error})


def _filtered(checked: Body, index: int, into: Assembler) -> None:
    """Azure's filters; told only where one of them struck."""
    struck = [name for name, result in checked.items() if mapping(result).get("filtered") is True]
    if struck:
        into.part(Part("other", f"content filter: {', '.join(struck)}"), index)


def _said(said: Body, choice: int, into: Assembler) -> None:
    """A message or a delta: they differ in nothing but the size of their pieces."""
    reasoning = said.get("reasoning_content") or said.get("reasoning")
    if isinstance(reasoning, str):
        into.add("reasoning", reasoning, choice)
    elif said.get("reasoning_details") and not reasoning:
        for text in _details(said):
            into.add("reasoning", text, choice)
    content = said.get("content")
    if isinstance(content, str):
        if content:
            into.add("text", content, choice)
    elif content:
        _chunks(content, choice, into)
    if refusal := text_of(said.get("refusal")):
        into.add("refusal", refusal, choice)
    if len(said) > 1 or "content" not in said:
        _calls(said, choice, into)


def _details(said: Body) -> list[str]:
    """OpenRouter's: texts and summaries; what is encrypted has neither."""
    details = items(said.get("reasoning_details"))
    texts = [text_of(detail.get("text")) or text_of(detail.get("summary")) for detail in details]
    return [text for text in texts if text]


def _chunks(content: Any, choice: int, into: Assembler) -> None:
    """Mistral's content: a list of `text` and `thinking` chunks."""
    for chunk in items(content):
        if chunk.get("type") == "thinking":
            into.add("reasoning", _thinking(chunk), choice)
        elif text := text_of(chunk.get("text")):
            into.add("text", text, choice)


def _thinking(chunk: Body) -> str:
    """Mistral's is a list of texts, Cohere's one."""
    thinking = chunk.get("thinking")
    return text_of(thinking) or "".join(text_of(part.get("text")) for part in items(thinking))


def _calls(said: Body, choice: int, into: Assembler) -> None:
    if calls := said.get("tool_calls"):
        for position, call in enumerate(items(calls)):
            _call(call, position, choice, into)
    function = said.get("function_call")
    if isinstance(function, dict) and (function.get("name") or function.get("arguments")):
        into.call("function_call", text_of(function.get("name")), None, choice)
        into.add("tool_call", text_of(function.get("arguments")), choice, "function_call")
    if not EXTRAS.isdisjoint(said):
        _extras(said, choice, into)


def _extras(said: Body, choice: int, into: Assembler) -> None:
    """Groq's own tools, sound, pictures, and sources."""
    for tool in items(said.get("executed_tools")):
        if text_of(tool.get("output")) or "delta" not in tool:
            into.server_tool_calls.append(text_of(tool.get("type")) or "tool")
    if transcript := text_of(mapping(said.get("audio")).get("transcript")):
        into.add("text", transcript, choice)
    for image in items(said.get("images")):
        url = mapping(image.get("image_url")).get("url")
        into.part(Part("image", attachment(text_of(url))), choice)
    for note in items(said.get("annotations")):
        cited = mapping(note.get("url_citation"))
        into.cite(text_of(cited.get("title")), text_of(cited.get("url")))


def _call(call: Body, position: int, choice: int, into: Assembler) -> None:
    inner = mapping(call.get("function") or call.get("custom"))
    id, name = text_of(call.get("id")) or None, text_of(inner.get("name"))
    told = call.get("index")
    key = told if type(told) is int else position
    into.call(key, name, id, choice)
    arguments = inner.get("arguments", inner.get("input"))
    text = arguments if isinstance(arguments, str) else dumps(arguments) if arguments else ""
    into.add("tool_call", text, choice, key)


def read_usage(usage: Body) -> Usage:
    """`prompt_tokens` include cached ones; `completion_tokens` mostly include reasoning.

    xAI and Google's endpoint leave reasoning out: there the total tells.
    """
    inputs = mapping(usage.get("prompt_tokens_details"))
    outputs = mapping(usage.get("completion_tokens_details"))
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    reasoning = count(outputs.get("reasoning_tokens"))
    cached = count(inputs.get("cached_tokens"))
    written = count(inputs.get("cache_write_tokens"))
    beyond = (count(usage.get("total_tokens")) or 0) - (total(prompt, completion) or 0)
    if beyond > 0 and completion is not None and reasoning in (None, beyond):
        completion, reasoning = completion + beyond, beyond
    if cached is None:
        cached = count(usage.get("prompt_cache_hit_tokens", usage.get("cached_tokens")))
    return Usage(prompt, completion, cached, written, reasoning, dict(usage))


def read_message(message: Body) -> Message:
    role = ROLES.get(text_of(message.get("role")), "user")
    parts = _thoughts(message)
    if role == "tool":
        return Message(role, [_result(message)])
    parts += _parts(message.get("content"))
    if refusal := text_of(message.get("refusal")):
        parts.append(Part("refusal", refusal))
    for call in items(message.get("tool_calls")):
        inner = mapping(call.get("function") or call.get("custom"))
        parts.append(_call_part(inner, text_of(call.get("id")) or None))
    function = message.get("function_call")
    if isinstance(function, dict) and (function.get("name") or function.get("arguments")):
        parts.append(_call_part(function, None))
    return Message(role, parts)


def _thoughts(message: Body) -> list[Part]:
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    reasoning = reasoning or message.get("tool_plan") or "".join(_details(message))
    return [Part("reasoning", reasoning)] if reasoning and isinstance(reasoning, str) else []


def _result(message: Body) -> Part:
    text = "\n".join(part.text for part in _parts(message.get("content")))
    id = message.get("tool_call_id")
    return Part("tool_result", text, text_of(message.get("name")) or None, text_of(id) or None)


def _call_part(function: Body, id: str | None) -> Part:
    arguments = function.get("arguments", function.get("input"))
    text = arguments if isinstance(arguments, str) else dumps(arguments) if arguments else ""
    return Part("tool_call", text, text_of(function.get("name")), id)


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part("text", content)] if content else []
    if not isinstance(content, list):
        return []
    return [
        _part(item) if isinstance(item, dict) else Part("text", text_of(item)) for item in content
    ]


def _part(item: Body) -> Part:
    kind = text_of(item.get("type"))
    if kind == "text" or (not kind and "text" in item):
        return Part("text", text_of(item.get("text")))
    if kind == "thinking":
        return Part("reasoning", _thinking(item))
    if kind == "refusal":
        return Part("refusal", text_of(item.get("refusal")))
    inner = item.get(kind)
    if kind == "image_url":
        return Part("image", attachment(text_of(inner) or text_of(mapping(inner).get("url"))))
    if kind == "input_audio":
        audio = mapping(inner)
        size = len(text_of(audio.get("data")))
        return Part("audio", attachment("", text_of(audio.get("format")), size))
    if kind == "document":
        held = mapping(inner)
        text = text_of(held.get("data")) or dumps(held.get("data") or {})
        return Part("document", text, text_of(held.get("id")) or None)
    if kind in ("file", "document_url"):
        file = mapping(inner)
        data = text_of(inner) or text_of(file.get("file_data")) or text_of(file.get("file_id"))
        return Part("document", attachment(data), text_of(file.get("filename")) or None)
    return Part("other", kind or dumps(item)[:300])


def read_tool(tool: Body) -> Tool:
    inner = mapping(tool.get("function") or tool.get("custom"))
    kind = text_of(tool.get("type"))
    name = text_of(inner.get("name")) or text_of(tool.get("name"))
    hosted = not inner and kind not in ("", "function", "custom")
    return Tool(name or kind, text_of(inner.get("description")), hosted)
