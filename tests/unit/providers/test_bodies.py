"""Bodies that are no JSON: sounds, pictures, plain text."""

from llmproxy_core.model import ApiError, Part
from tests.unit.providers.sample import read

WIRE = "openai.audio"


def test_a_sound_is_told_by_its_type_and_size() -> None:
    response = read(WIRE, b"ID3\x04\x00" * 100, kind="audio/mpeg")
    assert response.parts == [Part("audio", "audio/mpeg, 500 bytes")]
    assert (response.error, response.incomplete) == (None, False)


def test_a_sound_that_begins_like_json_is_a_sound() -> None:
    assert read(WIRE, b'{"' * 10, kind="audio/pcm").parts == [Part("audio", "audio/pcm, 20 bytes")]


def test_an_empty_sound_is_nothing() -> None:
    assert read(WIRE, b"", kind="audio/mpeg").parts == []


def test_an_error_is_read_whatever_its_type_says() -> None:
    response = read(WIRE, b'{"error": {"message": "no"}}', status=400, kind="audio/mpeg")
    assert response.error == ApiError(None, "no")


def test_subtitles_are_text() -> None:
    subtitles = "1\n00:00:00,000 --> 00:00:02,000\n[Musik] ü\n"
    for text in (subtitles, "[Musik] ü", "{Musik}", "42"):
        response = read(WIRE, text.encode(), kind="text/plain; charset=utf-8")
        assert (response.text, response.error, response.incomplete) == (text, None, False)
