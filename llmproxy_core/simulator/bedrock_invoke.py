"""Claude on Bedrock: Anthropic's messages, streamed as an eventstream of events in base64.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmproxy_core.simulator.anthropic_messages import AnthropicMessages
from llmproxy_core.simulator.bedrock_converse import BedrockConverse, message, model_in
from llmproxy_core.simulator.exchange import Answer, Ask

PADDING = "abcdefghijklmnop"
CONVERSE = BedrockConverse()


class BedrockInvoke(AnthropicMessages):
    content_type = CONVERSE.content_type
    longest_name = 64

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        """The path tells the model, and whether to stream."""
        stream = path.endswith("-with-response-stream")
        return replace(super().read(body, path), model=model_in(path), stream=stream)

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        for event in super().events(ask, answer):
            data = event.partition(b"data: ")[2].strip()
            yield message("chunk", {"bytes": base64.b64encode(data).decode(), "p": PADDING})

    def error(self, status: int, text: str) -> Any:
        return CONVERSE.error(status, text)

    def error_event(self, text: str) -> bytes:
        return CONVERSE.error_event(text)
