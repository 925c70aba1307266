"""Recorded requests, prefixed, before the judge of the simulated provider.

The judge walks the parsed JSON and shares no code with what puts the prefix there.
"""

import json

import pytest

from llmproxy_core.namespace.limits import longest
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request
from llmproxy_core.simulator.anthropic_messages import AnthropicMessages
from llmproxy_core.simulator.bedrock_converse import BedrockConverse
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Format
from llmproxy_core.simulator.gemini import Gemini
from llmproxy_core.simulator.judge import offence
from llmproxy_core.simulator.ollama_chat import OllamaChat
from llmproxy_core.simulator.openai_chat import OpenAIChat
from llmproxy_core.simulator.openai_responses import OpenAIResponses
from tests.unit.providers.corpus import body, exchanges, needs_corpus, wire_of

PREFIX = "pay__"
STRICT = Controls(required_prefix=PREFIX)
JUDGES: dict[str, Format] = {
    "openai.chat": OpenAIChat(),
    "openai.responses": OpenAIResponses(),
    "anthropic.messages": AnthropicMessages(),
    "gemini": Gemini(),
    "bedrock.converse": BedrockConverse(),
    "bedrock.converse-stream": BedrockConverse(),
    "ollama.chat": OllamaChat(),
}


@needs_corpus
@pytest.mark.parametrize("wire", JUDGES)
def test_the_judge_finds_no_name_without_the_prefix(wire):
    judge, many = JUDGES[wire], 0
    for one in exchanges():
        asked = body(one, "request") if wire_of(one) == wire else b"{}"
        try:
            names = list(judge.names(json.loads(asked)))
        except (ValueError, TypeError, AttributeError):
            continue  # no request that a provider would take
        if names:
            many += 1
            limit = longest(one["provider"], wire)
            prefixed = prefix_request(wire, asked, Naming(PREFIX, limit))
            sent = list(judge.names(json.loads(prefixed.body)))
            assert offence(sent, limit, STRICT) is None, one["id"]
            assert [named.place for named in sent] == [named.place for named in names]
    assert many > 0
