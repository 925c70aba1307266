"""`gemini`: generateContent and streamGenerateContent of the Gemini API, Vertex AI and Code Assist.

The path names the model and says whether the answer streams. Field names come in camelCase, from
some SDKs in snake_case; Code Assist (Gemini CLI) puts request and answer into an envelope.
Source: https://ai.google.dev/api/generate-content
"""

from typing import Any
from urllib.parse import unquote

from llmproxy_core.model import (
    ApiError,
    Message,
    Part,
    Request,
    Role,
    Tool,
    Usage,
    mapping,
    text_of,
)
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, items, total
from llmproxy_core.providers.gemini_grounding import read_grounding, read_refusal
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset(
    {"contents", "tools", "systemInstruction", "system_instruction", "request", "labels"}
)
CONFIG = ("generationConfig.", "generation_config.")
ROLES: dict[str, Role] = {"model": "assistant", "function": "tool", "system": "system"}


class Gemini:
    def request(self, body: Body, path: str) -> Request:
        inner = mapping(body.get("request")) or body
        model, method = _path(path)
        model = model or text_of(body.get("model")).removeprefix("models/")
        parameters = settings(inner, NOT_SETTINGS)
        return Request(
            model=model or None,
            stream=method == "streamGenerateContent",
            system=_content(pick(inner, "systemInstruction", "system_instruction")),
            messages=[
                Message(ROLES.get(text_of(content.get("role")), "user"), _content(content))
                for content in _list(inner.get("contents"))
            ],
            tools=[tool for group in _list(inner.get("tools")) for tool in _tools(group)],
            parameters={_bare(key): value for key, value in parameters.items()},
            session_hints=session_hints(inner) | session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        event = mapping(event.get("response")) or event
        into.id = into.id or text_of(pick(event, "responseId", "response_id")) or None
        into.model = into.model or text_of(pick(event, "modelVersion", "model_version")) or None
        usage = pick(event, "usageMetadata", "usage_metadata")
        if isinstance(usage, dict):
            into.usage = read_usage({**_before(into), **usage})
        candidates = items(event.get("candidates"))
        for position, candidate in enumerate(candidates):
            _candidate(candidate, position, into)
        if not candidates and not usage:
            _without_candidates(event, into)
        _blocked(pick(event, "promptFeedback", "prompt_feedback"), into)


def pick(fields: Body, camel: str, snake: str) -> Any:
    value = fields.get(camel)
    return fields.get(snake) if value is None else value


def _before(into: Assembler) -> Body:
    """Counters of earlier events: each event repeats what it knows, the last word holds."""
    return mapping(into.usage.raw) if into.usage else {}


def _candidate(candidate: Body, position: int, into: Assembler) -> None:
    index = candidate.get("index")
    index = index if type(index) is int else position
    into.choice(index)
    for part in items(mapping(candidate.get("content")).get("parts")):
        _said(part, index, into)
    if len(candidate) > 1:
        read_grounding(candidate, into)
    reason = pick(candidate, "finishReason", "finish_reason")
    if reason is not None:
        read_refusal(candidate, reason, index, into)
        into.finish(str(reason), index)
        into.closed = True


def _said(part: Body, choice: int, into: Assembler) -> None:
    text = part.get("text")
    if isinstance(text, str):
        if text:
            into.add("reasoning" if part.get("thought") is True else "text", text, choice)
        return
    call = pick(part, "functionCall", "function_call")
    if isinstance(call, dict):
        key = f"call {into.written}"
        into.call(key, text_of(call.get("name")), text_of(call.get("id")) or None, choice)
        into.add("tool_call", dumps(call.get("args") or {}), choice, key)
        return
    if server := _server_tool(part):
        into.server_tool_calls.append(server)
    shown = _part(part)
    if shown.kind != "other" or shown.text:
        into.part(shown, choice)


def _server_tool(part: Body) -> str | None:
    if pick(part, "executableCode", "executable_code"):
        return "code_execution"
    call = mapping(pick(part, "toolCall", "tool_call"))
    return str(pick(call, "toolType", "tool_type") or "tool").lower() if call else None


def _blocked(feedback: Any, into: Assembler) -> None:
    reason = pick(mapping(feedback), "blockReason", "block_reason")
    if reason:
        message = pick(mapping(feedback), "blockReasonMessage", "block_reason_message")
        into.error = ApiError(str(reason), text_of(message) or "the prompt was blocked")
        into.closed = True


def _without_candidates(event: Body, into: Assembler) -> None:
    if error := read_error(event):
        into.error = error
        into.closed = True
    elif "promptFeedback" not in event and "prompt_feedback" not in event:
        into.unknown_event(next(iter(event), "empty"))


def read_usage(usage: Body) -> Usage:
    """`candidatesTokenCount` leaves thoughts out, `promptTokenCount` what tools put in.

    The Live API calls the former `responseTokenCount`.
    """
    prompt = count(pick(usage, "promptTokenCount", "prompt_token_count"))
    tools = count(pick(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count"))
    answer = count(pick(usage, "candidatesTokenCount", "candidates_token_count"))
    if answer is None:
        answer = count(pick(usage, "responseTokenCount", "response_token_count"))
    thoughts = count(pick(usage, "thoughtsTokenCount", "thoughts_token_count"))
    return Usage(
        input_tokens=total(prompt, tools),
        output_tokens=total(answer, thoughts),
        cached_tokens=count(pick(usage, "cachedContentTokenCount", "cached_content_token_count")),
        reasoning_tokens=thoughts,
        raw=dict(usage),
    )


def _list(value: Any) -> list[Body]:
    """Google takes a single object for a list of one, and a string for a content."""
    if isinstance(value, str):
        return [{"parts": [{"text": value}]}]
    return [value] if isinstance(value, dict) else items(value)


def _content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part("text", content)]
    return [_part(part) for part in _list(mapping(content).get("parts"))]


def _part(part: Body) -> Part:
    text = part.get("text")
    if isinstance(text, str):
        return Part("reasoning" if part.get("thought") is True else "text", text)
    call = pick(part, "functionCall", "function_call") or pick(part, "toolCall", "tool_call")
    if isinstance(call, dict):
        name = text_of(call.get("name")) or text_of(pick(call, "toolType", "tool_type"))
        arguments = dumps(call.get("args") or {})
        return Part("tool_call", arguments, name, text_of(call.get("id")) or None)
    result = pick(part, "functionResponse", "function_response") or part.get("toolResponse")
    if isinstance(result, dict):
        name = text_of(result.get("name")) or text_of(result.get("toolType"))
        shown = dumps(result.get("response"))
        return Part("tool_result", shown, name or None, text_of(result.get("id")) or None)
    return _data(part)


def _data(part: Body) -> Part:
    blob = mapping(pick(part, "inlineData", "inline_data") or pick(part, "fileData", "file_data"))
    if blob:
        mime = str(pick(blob, "mimeType", "mime_type") or "")
        where = str(pick(blob, "fileUri", "file_uri") or "")
        shown = attachment(where, mime, len(text_of(blob.get("data"))))
        kind = mime.partition("/")[0]
        if kind == "image":
            return Part("image", shown)
        return Part("audio", shown) if kind == "audio" else Part("document", shown)
    code = mapping(pick(part, "executableCode", "executable_code"))
    if code:
        return Part("tool_call", text_of(code.get("code")), "code_execution")
    result = mapping(pick(part, "codeExecutionResult", "code_execution_result"))
    if result:
        return Part("tool_result", text_of(result.get("output")), "code_execution")
    names = [key for key in part if key not in ("thoughtSignature", "thought_signature", "thought")]
    return Part("other", ", ".join(names))


def _tools(group: Body) -> list[Tool]:
    found: list[Tool] = []
    for key, value in group.items():
        if key in ("functionDeclarations", "function_declarations"):
            found += [
                Tool(text_of(function.get("name")), text_of(function.get("description")))
                for function in items(value)
            ]
        else:
            found.append(Tool(key, hosted=True))
    return found


def _path(path: str) -> tuple[str, str]:
    """(model, method) of .../models/MODEL:METHOD."""
    end = path.partition("?")[0].rpartition("/")[2]
    model, _, method = end.rpartition(":")
    return ("" if model.startswith("v1internal") else unquote(model)), method


def _bare(key: str) -> str:
    for prefix in CONFIG:
        key = key.removeprefix(prefix)
    return key
