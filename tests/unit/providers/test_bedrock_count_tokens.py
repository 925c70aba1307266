import json
from base64 import b64encode

from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read

WIRE, PATH = "bedrock.count_tokens", "/model/claude-x/count-tokens"


def test_the_request_within_is_read() -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    inner = json.dumps({"anthropic_version": "x", "messages": [message]}).encode()
    invoked = {"input": {"invokeModel": {"body": b64encode(inner).decode()}}}
    converse = {
        "input": {"converse": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}}
    }
    for body in (invoked, converse):
        request, problem = read_request(WIRE, PATH, [], json.dumps(body).encode())
        assert problem is None
        assert request.model == "claude-x"
        assert request.messages[0].parts[0].text == "Hi"


def test_a_body_that_is_no_base64_is_survived() -> None:
    body = {"input": {"invokeModel": {"body": "?"}}}
    assert read_request(WIRE, PATH, [], json.dumps(body).encode())[0].messages == []


def test_the_count_is_read() -> None:
    usage = read(WIRE, b'{"inputTokens": 18}').usage
    assert usage is not None
    assert usage.input_tokens == 18
