"""`openai.images`: POST /images/generations, /edits and /variations; pictures only by what they are.

Edits come as forms. Source: https://platform.openai.com/docs/api-reference/images
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, deployment, items
from llmproxy_core.providers.openai_responses import read_usage
from llmproxy_core.providers.settings import session_hints, settings

FILES = ("image", "image[]", "images", "mask")
NOT_SETTINGS = frozenset({"prompt", *FILES})


class OpenAIImages:
    def request(self, body: Body, path: str) -> Request:
        parts = [Part("text", text)] if (text := text_of(body.get("prompt"))) else []
        for field in FILES:
            value = body.get(field)
            parts += [_file(one) for one in (value if isinstance(value, list) else [value]) if one]
        return Request(
            model=text_of(body.get("model")) or deployment(path),
            stream=body.get("stream") in (True, "true"),
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.choice()
        _usage(body, into)
        for image in items(body.get("data")):
            _image(image, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type")) or name
        if kind.endswith(".completed"):
            _usage(event, into)
            _image(event, into)
            into.closed = True
        elif error := read_error(event):
            into.error = error
            into.closed = True
        elif not kind.endswith(".partial_image"):
            into.unknown_event(kind or "without type")


def _usage(body: Body, into: Assembler) -> None:
    if isinstance(usage := body.get("usage"), dict):
        into.usage = read_usage(usage)


def _image(image: Body, into: Assembler) -> None:
    size = len(text_of(image.get("b64_json")))
    words = [attachment(text_of(image.get("url")), size=size), text_of(image.get("size"))]
    into.part(Part("image", ", ".join(word for word in words if word)))
    if revised := text_of(image.get("revised_prompt")):
        into.part(Part("other", f"revised prompt: {revised}"))


def _file(value: Any) -> Part:
    """A file of a form, or an address or data as text."""
    file = mapping(value)
    if "filename" in file:
        return uploaded("image", file)
    return Part("image", attachment(text_of(value) or text_of(file.get("image_url"))))


def uploaded(kind: Any, file: Body) -> Part:
    """A file of a form, see `form.py`."""
    shown = [text_of(file.get("type")), f"{file.get('size')} bytes"]
    return Part(kind, ", ".join(word for word in shown if word), text_of(file.get("filename")))
