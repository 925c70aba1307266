"""The register of wire formats. A new one is a file and a line here; all others are raw."""

from llmproxy_core.model import Headers, Json, Request
from llmproxy_core.providers.anthropic_batches import AnthropicBatches
from llmproxy_core.providers.anthropic_messages import AnthropicMessages
from llmproxy_core.providers.bedrock_converse import BedrockConverse
from llmproxy_core.providers.bedrock_count_tokens import BedrockCountTokens
from llmproxy_core.providers.bedrock_invoke import BedrockInvoke
from llmproxy_core.providers.cohere_chat import CohereChat
from llmproxy_core.providers.cohere_embed import CohereEmbed
from llmproxy_core.providers.count_tokens import CountTokens
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.form import is_form, read_form
from llmproxy_core.providers.format import Format
from llmproxy_core.providers.frames import FRAMED, read_frames
from llmproxy_core.providers.gemini import Gemini
from llmproxy_core.providers.gemini_batches import GeminiBatches
from llmproxy_core.providers.gemini_embeddings import GeminiEmbeddings
from llmproxy_core.providers.gemini_live import GeminiLive
from llmproxy_core.providers.ollama_chat import OllamaChat
from llmproxy_core.providers.ollama_embed import OllamaEmbed
from llmproxy_core.providers.ollama_generate import OllamaGenerate
from llmproxy_core.providers.openai_audio import OpenAIAudio
from llmproxy_core.providers.openai_chat import OpenAIChat
from llmproxy_core.providers.openai_completions import OpenAICompletions
from llmproxy_core.providers.openai_embeddings import OpenAIEmbeddings
from llmproxy_core.providers.openai_images import OpenAIImages
from llmproxy_core.providers.openai_moderations import OpenAIModerations
from llmproxy_core.providers.openai_realtime import OpenAIRealtime
from llmproxy_core.providers.openai_responses import OpenAIResponses
from llmproxy_core.providers.openai_responses_websocket import OpenAIResponsesWebSocket
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.raw import Raw
from llmproxy_core.providers.rerank import Rerank
from llmproxy_core.providers.vertex_predict import VertexPredict

FORMATS: dict[str, Format] = {
    "openai.chat": OpenAIChat(),
    "openai.responses": OpenAIResponses(),
    "anthropic.messages": AnthropicMessages(),
    "anthropic.count_tokens": CountTokens(AnthropicMessages()),
    "anthropic.batches": AnthropicBatches(),
    "openai.responses.compact": OpenAIResponses(),
    "openai.responses.input_tokens": CountTokens(OpenAIResponses()),
    "openai.completions": OpenAICompletions(),
    "openai.embeddings": OpenAIEmbeddings(),
    "openai.images": OpenAIImages(),
    "openai.audio": OpenAIAudio(),
    "openai.moderations": OpenAIModerations(),
    "cohere.chat": CohereChat(),
    "cohere.embed": CohereEmbed(),
    "cohere.rerank": Rerank(),
    "rerank": Rerank(),
    "ollama.chat": OllamaChat(),
    "ollama.generate": OllamaGenerate(),
    "ollama.embed": OllamaEmbed(),
    "ollama.embeddings": OllamaEmbed(),
    "openai.realtime": OpenAIRealtime(),
    "openai.responses.websocket": OpenAIResponsesWebSocket(),
    "gemini": Gemini(),
    "gemini.batches": GeminiBatches(),
    "gemini.live": GeminiLive(),
    "gemini.count_tokens": CountTokens(Gemini()),
    "gemini.embeddings": GeminiEmbeddings(),
    "vertex.predict": VertexPredict(),
    "bedrock.converse": BedrockConverse(),
    "bedrock.converse-stream": BedrockConverse(),
    "bedrock.invoke": BedrockInvoke(),
    "bedrock.invoke-with-response-stream": BedrockInvoke(),
    "bedrock.count_tokens": BedrockCountTokens(),
}
RAW = Raw()


def format_of(wire: str) -> Format:
    return FORMATS.get(wire, RAW)


def read_request(wire: str, path: str, headers: Headers, body: bytes) -> tuple[Request, str | None]:
    """The request in `body` (as on the wire) and what is wrong with it. Raises on nothing.

    Formats that are not read in full may hold anything: there, nothing is wrong.
    """
    value, problem = read_body(wire, headers, body)
    return format_of(wire).request(value, path), None if wire not in FORMATS else problem


def read_body(wire: str, headers: Headers, body: bytes) -> tuple[dict[str, Json], str | None]:
    """The JSON object that a request is read from, empty where there is none, and what is wrong.

    Of a form, its fields; of frames, `{"frames": [...]}`. Raises on nothing.
    """
    data, problem = decode_body(headers, body) if headers else (body, None)
    value, unreadable = _parsed(wire, data)
    problem = problem or unreadable
    if not isinstance(value, dict):
        return {}, problem or "not a JSON object"
    return value, problem


def _parsed(wire: str, data: bytes) -> tuple[Json, str | None]:
    if wire in FRAMED:
        return read_frames(data)
    return read_form(data) if is_form(data) else parse(data)
