import json

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples_plain import IMAGES, form

WIRE = "openai.images"


def test_edits_come_as_forms() -> None:
    body = form(("prompt", "", b"A cat"), ("image[]", "a.png", b"1234"), ("mask", "m.png", b"12"))
    request, problem = read_request(WIRE, "/v1/images/edits", [], body)
    assert problem is None
    assert request.messages[0].parts == [
        Part("text", "A cat"),
        Part("image", "audio/wav, 4 bytes", "a.png"),
        Part("image", "audio/wav, 2 bytes", "m.png"),
    ]


def test_pictures_are_told_by_address_or_size() -> None:
    data = [{"url": "https://x.y/a.png", "revised_prompt": "A cat"}, {"b64_json": "AAAA"}]
    response = read(WIRE, json.dumps({"data": data}).encode())
    assert response.parts == [
        Part("image", "https://x.y/a.png"),
        Part("other", "revised prompt: A cat"),
        Part("image", "3 bytes"),
    ]


def test_drafts_of_a_picture_are_not_counted_as_pictures() -> None:
    assert len(read(WIRE, IMAGES.sse).parts) == 1
    assert read(WIRE, sse(IMAGES.events[:1])).incomplete
