"""The register: how each wire format tells of calls of tools. A new one is a file and a line."""

from collections.abc import Callable

from llmproxy_core.toolgate.call import Format
from llmproxy_core.toolgate.formats.anthropic import Anthropic
from llmproxy_core.toolgate.formats.bedrock import Invoke
from llmproxy_core.toolgate.formats.chat import Chat
from llmproxy_core.toolgate.formats.cohere import Cohere
from llmproxy_core.toolgate.formats.converse import Converse
from llmproxy_core.toolgate.formats.gemini import Gemini, Live
from llmproxy_core.toolgate.formats.ollama import Ollama
from llmproxy_core.toolgate.formats.realtime import Realtime
from llmproxy_core.toolgate.formats.responses import Responses

FORMATS: dict[str, Callable[[], Format]] = {
    "anthropic.messages": Anthropic,
    "bedrock.converse": Converse,
    "bedrock.converse-stream": Converse,
    "bedrock.invoke": Invoke,
    "bedrock.invoke-with-response-stream": Invoke,
    "cohere.chat": Cohere,
    "gemini": Gemini,
    "gemini.live": Live,
    "mistral.agents": Chat,
    "ollama.chat": Ollama,
    "openai.chat": Chat,
    "openai.realtime": Realtime,
    "openai.responses": Responses,
    "openai.responses.websocket": Responses,
    "watsonx.chat": Chat,
}
