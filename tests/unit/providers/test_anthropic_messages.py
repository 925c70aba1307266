import json
from typing import Any

from llmproxy_core.model import Part, Request
from llmproxy_core.providers.anthropic_messages import read_usage
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples import ANTHROPIC

WIRE = "anthropic.messages"


def request(path: str = "/v1/messages", **body: Any) -> Request:
    return read_request(WIRE, path, [], json.dumps(body).encode())[0]


def parts(*blocks: dict[str, Any]) -> list[Part]:
    return request(messages=[{"role": "user", "content": list(blocks)}]).messages[0].parts


def test_blocks_are_parts() -> None:
    png = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert parts(
        {"type": "thinking", "thinking": "Hm."},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        {"type": "image", "source": png},
        {"type": "document", "title": "T", "source": {"type": "url", "url": "https://x.y/z"}},
        {"type": "document", "source": {"type": "text", "data": "plain"}},
        {"type": "container_upload", "file_id": "f"},
    ) == [
        Part("reasoning", "Hm."),
        Part("tool_call", '{"a":1}', "f", "t1"),
        Part("image", "image/png, 3 bytes"),
        Part("document", "https://x.y/z", "T"),
        Part("document", "plain"),
        Part("other", "container_upload"),
    ]


def test_results_of_tools_are_text() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x.y/z"}}
    mixed = [{"type": "text", "text": "a"}, image]
    result = {"type": "tool_result", "tool_use_id": "t1"}
    assert [
        part.text for part in parts(result | {"content": "a"}, result | {"content": mixed})
    ] == [
        "a",
        "a\n[image https://x.y/z]",
    ]
    assert parts(result) == [Part("tool_result", "", None, "t1")]
    web = {"type": "web_search_tool_result", "tool_use_id": "s", "content": {"error_code": "x"}}
    assert parts(web) == [Part("tool_result", '{"error_code":"x"}', "web_search", "s")]


def test_tools_run_by_the_provider_are_marked() -> None:
    tools = [
        {"name": "f", "input_schema": {}},
        {"type": "custom", "name": "g"},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "mcp_toolset", "mcp_server_name": "s"},
    ]
    assert [(tool.name, tool.hosted) for tool in request(tools=tools).tools] == [
        ("f", False),
        ("g", False),
        ("web_search", True),
        ("mcp_toolset", True),
    ]


def test_vertex_names_the_model_in_the_path() -> None:
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x%401:streamRawPredict"
    read = request(path, messages=[])
    assert (read.model, read.stream) == ("claude-x@1", True)


def test_input_tokens_include_what_the_cache_had() -> None:
    usage = read(WIRE, ANTHROPIC.sse).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (115, 100, 10)
    assert usage.output_tokens == 30
    assert read_usage({"output_tokens": 3}).input_tokens is None
    assert read_usage({"output_tokens_details": {"thinking_tokens": 2}}).reasoning_tokens == 2


def test_an_error_event_ends_the_stream() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    response = read(WIRE, sse([*ANTHROPIC.events[:10], error]))
    assert response.error is not None
    assert (response.error.type, response.error.message) == ("overloaded_error", "Overloaded")
    assert response.text == "Ich schaue nach: ü 😀"
    assert not response.incomplete


def test_new_events_and_deltas_are_counted() -> None:
    new = [
        {"type": "content_block_delta", "index": 9, "delta": {"type": "hologram_delta"}},
        {"type": "content_block_start", "index": 9, "content_block": {"type": "hologram"}},
        {},
    ]
    response = read(WIRE, sse([*new, *ANTHROPIC.events]))
    assert response.unknown_events == {"content_block_delta hologram_delta": 1, "without type": 1}
    assert response.parts[0] == Part("other", "hologram")


def test_a_body_of_another_kind_is_no_answer() -> None:
    response = read(WIRE, b'{"input_tokens": 14}')
    assert (response.texts, response.error, response.incomplete) == ([], None, False)
