import json

from llmproxy_core.model import ApiError
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples import RESPONSES
from tests.unit.providers.samples_sessions import CODEX, asked, frames

WIRE = "openai.responses.websocket"
NAMESPACE = {
    "type": "namespace",
    "name": "shell",
    "tools": [{"type": "function", "name": "exec"}, {"type": "custom", "name": "patch"}],
}


def test_the_answer_is_that_of_the_same_events_over_http() -> None:
    response = read(WIRE, CODEX.stream, 101)
    assert response == read("openai.responses", RESPONSES.stream)


def test_tools_within_the_input_are_found() -> None:
    tools = {"type": "additional_tools", "role": "developer", "tools": [NAMESPACE]}
    said = {"type": "message", "role": "user", "content": "Hi"}
    body = asked({"type": "response.create", "model": "gpt-x", "input": [tools, said]})
    request, problem = read_request(WIRE, "/v1/responses", [], body)
    assert problem is None
    assert [tool.name for tool in request.tools] == ["shell.exec", "shell.patch"]
    assert request.messages[-1].parts[0].text == "Hi"


def test_a_warm_up_gives_its_tools_and_instructions_to_the_turn() -> None:
    warm = {
        "type": "response.create",
        "model": "gpt-x",
        "instructions": "Be brief.",
        "generate": False,
        "input": [{"type": "additional_tools", "tools": [NAMESPACE]}],
    }
    turn = {"type": "response.create", "previous_response_id": "r0", "input": "Hi"}
    request, _ = read_request(WIRE, "/v1/responses", [], asked(warm, turn, carried=1))
    assert request.model == "gpt-x"
    assert request.system[0].text == "Be brief."
    assert [tool.name for tool in request.tools] == ["shell.exec", "shell.patch"]
    assert [message.parts[0].text for message in request.messages] == ["Hi"]
    assert request.session_hints == {"previous_response_id": "r0"}
    assert request.stream


def test_a_warm_up_alone_is_read_too() -> None:
    warm = {"type": "response.create", "model": "m", "generate": False, "input": "Hi"}
    request, _ = read_request(WIRE, "/", [], asked(warm))
    assert (request.model, len(request.messages)) == ("m", 1)


def test_a_refusal_is_an_error() -> None:
    error = {"type": "invalid_request_error", "message": "previous response not found"}
    response = read(WIRE, frames([{"type": "error", "status": 400, "error": error}]), 101)
    assert response.error == ApiError("invalid_request_error", "previous response not found")
    assert not response.incomplete


def test_events_of_codex_itself_are_no_surprise() -> None:
    events = [{"type": "codex.rate_limits", "plan": "x"}, *RESPONSES.events]
    response = read(WIRE, frames(events), 101)
    assert response.unknown_events == {}
    assert json.loads(response.tool_calls[0].arguments) == {"city": "Oslo"}
