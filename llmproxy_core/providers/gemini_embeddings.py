"""`gemini.embeddings`: embedContent and batchEmbedContents of the Gemini API and of Vertex AI.

Source: https://ai.google.dev/api/embeddings
"""

from llmproxy_core.model import Message, Request, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, items
from llmproxy_core.providers.gemini import Gemini, read_usage
from llmproxy_core.providers.settings import settings

GEMINI = Gemini()
NOT_SETTINGS = frozenset({"requests", "content"})


class GeminiEmbeddings:
    def request(self, body: Body, path: str) -> Request:
        asked = items(body.get("requests")) or [body]
        request = GEMINI.request({"contents": [one.get("content") for one in asked]}, path)
        parts = [part for message in request.messages for part in message.parts]
        request.model = request.model or text_of(asked[0].get("model")).removeprefix("models/")
        request.messages = [Message("user", parts)] if parts else []
        request.parameters = settings(asked[0], NOT_SETTINGS)
        return request

    def answer(self, body: Body, into: Assembler) -> None:
        if isinstance(usage := body.get("usageMetadata"), dict):
            into.usage = read_usage(usage)
        if isinstance(vectors := body.get("embeddings"), list):
            into.n_embeddings = len(items(vectors))
        elif mapping(body.get("embedding")):
            into.n_embeddings = 1

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
