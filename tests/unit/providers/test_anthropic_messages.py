import json
from dataclasses import replace
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


def test_server_tools_show_what_they_found() -> None:
    page = {"type": "document", "source": {"type": "text", "data": "words"}}
    found = [{"type": "web_search_result", "title": "T", "url": "https://x.y", "page_age": "1 d"}]
    contents = {
        "bash_code_execution_tool_result": {"stdout": "a", "stderr": "b", "return_code": 1},
        "web_search_tool_result": found,
        "web_fetch_tool_result": {"url": "https://x.y", "content": page},
        "tool_search_tool_result": {"tool_references": [{"tool_name": "f"}]},
        "advisor_tool_result": {"type": "advisor_result", "text": "4."},
    }
    blocks = [{"type": kind, "content": content} for kind, content in contents.items()]
    assert [part.text for part in parts(*blocks)] == [
        "a\nb\nexit code 1",
        "T https://x.y",
        "https://x.y\nwords",
        "f",
        "4.",
    ]


def test_blocks_that_cannot_be_read_are_told_by_their_length() -> None:
    opaque = {"type": "redacted_thinking", "data": "abcd"}
    summary = {"type": "compaction", "content": "Summary: hi"}
    assert [part.text for part in parts(opaque, summary)] == [
        "redacted_thinking, 4 characters",
        "compaction: Summary: hi",
    ]


SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "Oslo"}}
CITED = {"type": "web_search_result_location", "title": "Yr", "url": "https://yr.example"}
PAUSED: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "model": "claude-x",
    "content": [
        {"type": "compaction", "content": "Summary: hi"},
        SEARCH,
        {"type": "text", "text": "Rain.", "citations": [CITED]},
    ],
    "stop_reason": "pause_turn",
    "container": {"id": "container_1", "expires_at": "soon"},
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    begin = {"type": "content_block_start", "index": index, "content_block": start}
    pieces = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [begin, *pieces, {"type": "content_block_stop", "index": index}]


def test_server_tools_sources_and_surroundings_are_streamed_alike() -> None:
    begun = {key: PAUSED[key] for key in ("type", "id", "model", "usage")} | {"content": []}
    end = {"stop_reason": "pause_turn", "container": PAUSED["container"]}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        *block(
            0,
            {"type": "compaction", "content": None},
            {"type": "compaction_delta", "content": "Summary: hi"},
        ),
        *block(
            1,
            SEARCH | {"input": {}},
            {"type": "input_json_delta", "partial_json": '{"query"'},
            {"type": "input_json_delta", "partial_json": ':"Oslo"}'},
        ),
        *block(
            2,
            {"type": "text", "text": "", "citations": []},
            {"type": "citations_delta", "citation": CITED},
            {"type": "text_delta", "text": "Rain."},
        ),
        {"type": "message_delta", "delta": end, "usage": PAUSED["usage"]},
        {"type": "message_stop"},
    ]
    streamed, whole = read(WIRE, sse(events)), read(WIRE, json.dumps(PAUSED).encode())
    assert replace(streamed, n_events=0) == whole
    assert (whole.tool_calls, whole.server_tool_calls) == ([], ["web_search"])
    assert whole.finish_reasons == ["pause_turn"]
    assert [part.text for part in whole.parts] == [
        "compaction: Summary: hi",
        '{"query":"Oslo"}',
        "Rain.",
        "container container_1",
        "sources:\nYr https://yr.example",
    ]
