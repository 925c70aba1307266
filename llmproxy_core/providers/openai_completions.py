"""`openai.completions`: POST /completions, the legacy way, still of vLLM, Together, Mistral's FIM.

A prompt is text, tokens, or a list of either; a request with several prompts has as many choices.
Writer streams nothing but `{"value": "text"}`. Source: https://platform.openai.com/docs/api-reference/completions
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, deployment, items
from llmproxy_core.providers.openai_chat import read_usage
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"prompt", "suffix"})


class OpenAICompletions:
    def request(self, body: Body, path: str) -> Request:
        parts = prompts(body.get("prompt"))
        if suffix := text_of(body.get("suffix")):
            parts.append(Part("text", suffix, "suffix"))
        return Request(
            model=text_of(body.get("model")) or deployment(path),
            stream=body.get("stream") is True,
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        into.id = into.id or text_of(event.get("id")) or None
        into.model = into.model or text_of(event.get("model")) or None
        usage = event.get("usage") or mapping(event.get("x_groq")).get("usage")
        if isinstance(usage, dict):
            into.usage = read_usage(usage)
        choices = event.get("choices")
        if isinstance(choices, list):
            for position, choice in enumerate(items(choices)):
                _choice(choice, position, into)
        elif value := text_of(event.get("value")):
            into.add("text", value)
        elif error := read_error(event):
            into.error = error
            into.closed = True
        elif not isinstance(usage, dict):
            into.unknown_event(name or text_of(event.get("object")) or "without choices")


def _choice(choice: Body, position: int, into: Assembler) -> None:
    index = choice.get("index")
    index = index if type(index) is int else position
    into.choice(index)
    if reasoning := text_of(choice.get("reasoning") or choice.get("reasoning_content")):
        into.add("reasoning", reasoning, index)
    if text := text_of(choice.get("text")):
        into.add("text", text, index)
    reason = choice.get("finish_reason")
    if reason is not None:
        into.finish(str(reason), index)
        into.closed = into.closed or (reason != "" and into.finished())


def prompts(value: Any) -> list[Part]:
    """A prompt, or inputs to embed: text, tokens, or a list of either; one part each."""
    if not isinstance(value, list) or (value and all(type(item) is int for item in value)):
        return _prompt(value)
    return [part for item in value for part in _prompt(item)]


def _prompt(value: Any) -> list[Part]:
    """One of several: text, tokens, or an object that has the text in it, or pieces of it."""
    if isinstance(value, dict):
        value = value.get("text") or value.get("content")
    if isinstance(value, str):
        return [Part("text", value)] if value else []
    if not isinstance(value, list) or not value:
        return []
    if all(type(item) is int for item in value):
        return [Part("other", f"{len(value)} tokens")]
    texts = [item if isinstance(item, str) else mapping(item).get("text") for item in value]
    return [Part("text", text) for text in texts if isinstance(text, str) and text]
