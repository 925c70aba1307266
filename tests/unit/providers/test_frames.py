import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.frames import filled, payload, read_frames
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.sample import read
from tests.unit.providers.samples_sessions import LIVE, REALTIME, asked, frames
from tests.unit.providers.sessions import line


def test_frames_in_binary_are_read_like_frames_in_text() -> None:
    said = json.dumps({"serverContent": {"outputTranscription": {"text": "Hi"}}}).encode()
    binary = json.loads(line(False, said + b"\xff"))
    assert binary["type"] == "binary"
    assert payload(binary) == said + b"\xff"
    assert payload({"type": "text", "data": "ü"}) == "ü".encode()
    assert payload({"type": "binary", "data": "?"}) == b""
    assert payload({"data": 1}) == b""


def test_a_line_that_was_cut_is_left_out_and_told() -> None:
    body = asked({"type": "a"}, {"type": "b"})
    read_, problem = read_frames(body[:-9])
    frames_ = read_["frames"]
    assert isinstance(frames_, list)
    assert len(frames_) == 1
    assert problem is not None
    assert problem.startswith("a frame is not JSON")
    assert read_frames(b"") == ({"frames": []}, "no frames")


def test_a_frame_of_sound_in_binary_is_no_problem() -> None:
    body = asked({"setup": {"model": "m"}}) + line(True, b"\xff\xfe\x00")
    request, problem = read_request("gemini.live", "/", [], body)
    assert (request.model, problem) == ("m", None)


def test_later_objects_win_where_they_say_something() -> None:
    merged = filled({"a": 1, "b": 2}, {"a": None, "b": "", "c": False}, None, 3)
    assert merged == {"a": 1, "b": 2, "c": False}


def test_frames_of_the_client_are_no_events_of_the_answer() -> None:
    between = asked({"type": "input_audio_buffer.append", "audio": "AAAA"})
    pieces = [frames([event]) for event in REALTIME.events]
    response = read(REALTIME.wire, between.join(pieces), 101)
    assert response == read(REALTIME.wire, REALTIME.stream, 101)


def test_lines_that_are_no_frames_are_counted() -> None:
    response = read(LIVE.wire, b"[1]\n{}\nnonsense\n" + LIVE.stream, 101)
    assert response.unknown_events == {"not a frame": 3}
    assert response.text == "Ich schaue nach: ü 😀"


def test_deltas_come_frame_by_frame() -> None:
    reader = AnswerReader(LIVE.wire, 101, [])
    told = [delta.text for event in LIVE.events[3:5] for delta in reader.feed(frames([event]))]
    assert told == ["Ich schaue ", "nach: ü 😀"]


def test_a_handshake_that_was_refused_is_an_error() -> None:
    response = read("openai.realtime", b'{"error": {"message": "No such model"}}', 404)
    assert response.error is not None
    assert response.error.message == "No such model"


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    for start in (b"", b'{"from":"server","type":"binary","data":"', b'{"from":"client","data":"{'):
        read_frames(start + data)
        read("openai.realtime", start + data, 101)
