"""`vertex.predict`: `:predict` of Vertex AI, for embeddings, pictures and models of one's own.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

from llmproxy_core.model import Message, Part, Request, Usage, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, items, total
from llmproxy_core.providers.gemini import Gemini
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import settings

NOT_SETTINGS = frozenset({"instances"})
TEXTS = ("content", "prompt", "text", "inputs")
FILES = ("image", "video")


class VertexPredict:
    def request(self, body: Body, path: str) -> Request:
        parts = [part for one in items(body.get("instances")) for part in _said(one)]
        return Request(
            model=Gemini().request({}, path).model,
            messages=[Message("user", parts)] if parts else [],
            parameters={
                key.removeprefix("parameters."): value
                for key, value in settings(body, NOT_SETTINGS).items()
            },
        )

    def answer(self, body: Body, into: Assembler) -> None:
        if "predictions" not in body:
            return
        into.model = text_of(body.get("modelDisplayName")) or into.model
        read: int | None = None
        vectors = 0
        predictions = body.get("predictions")
        for one in predictions if isinstance(predictions, list) else []:
            fields = mapping(one)
            vectors += sum(key.lower().endswith(("embedding", "embeddings")) for key in fields)
            told = mapping(mapping(fields.get("embeddings")).get("statistics"))
            read = total(read, count(told.get("token_count")))
            _predicted(one, into)
        into.n_embeddings = vectors or None
        if read is not None:
            into.usage = Usage(input_tokens=read, raw=body.get("metadata"))

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True


def _said(instance: Body) -> list[Part]:
    parts = [Part("text", instance[key]) for key in TEXTS if text_of(instance.get(key))]
    for key in FILES:
        if file := mapping(instance.get(key)):
            size = len(text_of(file.get("bytesBase64Encoded")))
            shown = attachment(text_of(file.get("gcsUri")), text_of(file.get("mimeType")), size)
            parts.append(Part("image", shown))
    return parts or [Part("other", dumps(instance)[:300])]


def _predicted(one: object, into: Assembler) -> None:
    fields = mapping(one)
    if isinstance(one, str):
        into.add("text", one)
    elif text := text_of(fields.get("content")):
        into.add("text", text)
    elif data := text_of(fields.get("bytesBase64Encoded")):
        into.part(Part("image", attachment("", text_of(fields.get("mimeType")), len(data))))
