import json

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read


def test_a_verdict_names_what_was_found() -> None:
    results = [
        {"flagged": True, "categories": {"hate": True, "violence": False, "sexual": True}},
        {"flagged": False, "categories": {"hate": False}},
    ]
    response = read("openai.moderations", json.dumps({"results": results}).encode())
    assert [part.text for part in response.parts] == ["flagged: hate, sexual", "flagged: no"]


def test_texts_and_pictures_are_judged() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.y/a.png"}}
    body = {"input": [{"type": "text", "text": "a"}, image]}
    request, _ = read_request("openai.moderations", "/", [], json.dumps(body).encode())
    assert request.messages[0].parts == [Part("text", "a"), Part("image", "https://x.y/a.png")]
