from llmproxy_core.providers.content_type import content_type


def test_a_content_type_tells_how_a_body_comes() -> None:
    assert content_type("Text/Event-Stream; charset=utf-8").events
    assert content_type("application/x-ndjson").lines
    assert content_type("application/stream+json").lines
    assert content_type("audio/mpeg").media
    assert content_type("text/plain; charset=utf-8").text
    assert not content_type("text/event-stream").text
    assert content_type("application/vnd.amazon.eventstream").streams
    assert not content_type("application/json").streams
    assert content_type("").name == ""
