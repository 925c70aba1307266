"""`bedrock.count_tokens`: a request of `converse` or `invoke`, within another.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

import binascii
from base64 import b64decode

from llmproxy_core.model import Request, mapping, text_of
from llmproxy_core.providers.bedrock_converse import BedrockConverse
from llmproxy_core.providers.bedrock_invoke import BedrockInvoke
from llmproxy_core.providers.count_tokens import CountTokens
from llmproxy_core.providers.format import Body
from llmproxy_core.providers.parsing import parse


class BedrockCountTokens(CountTokens):
    def __init__(self) -> None:
        super().__init__(BedrockConverse())

    def request(self, body: Body, path: str) -> Request:
        given = mapping(body.get("input"))
        invoked = text_of(mapping(given.get("invokeModel")).get("body"))
        if not invoked:
            return super().request(mapping(given.get("converse")), path)
        try:
            inner, _ = parse(b64decode(invoked))
        except (binascii.Error, ValueError):
            inner = None
        return BedrockInvoke().request(mapping(inner), path)
