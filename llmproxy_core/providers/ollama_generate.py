"""`ollama.generate`: POST /api/generate: a prompt is continued. Streams lines of JSON.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from llmproxy_core.model import Message, Part, Request, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body
from llmproxy_core.providers.ollama_chat import end, images
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"prompt", "suffix", "system", "images", "context"})


class OllamaGenerate:
    def request(self, body: Body, path: str) -> Request:
        prompt, system = text_of(body.get("prompt")), text_of(body.get("system"))
        parts = [Part("text", prompt)] if prompt else []
        if suffix := text_of(body.get("suffix")):
            parts.append(Part("text", suffix, "suffix"))
        parts += images(body.get("images"))
        return Request(
            model=text_of(body.get("model")) or None,
            stream=body.get("stream") is not False,
            system=[Part("text", system)] if system else [],
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        if thinking := text_of(event.get("thinking")):
            into.add("reasoning", thinking)
        if text := text_of(event.get("response")):
            into.add("text", text)
        if "response" in event:
            into.choice()
        elif "done" not in event and "error" not in event:
            into.unknown_event(name or "without response")
        end(event, into)
