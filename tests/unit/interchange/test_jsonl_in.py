"""JSON lines are read whole, or said why not."""

import base64
import json
import tracemalloc
from hashlib import sha256
from uuid import UUID

import pytest

from llmproxy_core.interchange.incoming import lines as lines_module
from llmproxy_core.interchange.incoming.lines import numbered
from llmproxy_core.interchange.incoming.recording import Recording
from tests.unit.interchange.recorded import (
    ANSWER,
    QUESTION,
    Reading,
    bodies,
    cuts,
    line,
    lines_file,
    raised,
    read,
    reading,
    skipped,
    zipped,
)


def test_a_line_is_an_exchange(tmp_path):
    (found,) = read(lines_file(tmp_path / "calls", [line()]))

    assert isinstance(found, Recording)
    assert (found.request_body, found.response_body) == (QUESTION, ANSWER)
    assert (found.external_id, found.status, found.wire) == ("one", 200, "openai.chat")


def test_gzip_is_undone_whatever_the_name(tmp_path):
    packed = zipped(lines_file(tmp_path / "calls.har", [line(str(n)) for n in range(50)]))

    assert len(bodies(read(packed))) == 50


def test_an_id_of_the_future_is_not_taken_over(tmp_path):
    """Each of its weeks would get partitions of its own."""
    ids = [
        f"{milliseconds:012x}70008000000000000001" for milliseconds in (1_790_000_000_000, 2**47)
    ]

    past, future = read(lines_file(tmp_path / "calls", [line(id=str(UUID(id))) for id in ids]))

    assert isinstance(past, Recording)
    assert isinstance(future, Recording)
    assert past.id == UUID(ids[0])
    assert future.id is None
    assert future.external_id == str(UUID(ids[1]))


def test_a_line_of_many_values_takes_little_memory(tmp_path):
    data = json.dumps(line()).encode()[:-1] + b', "x": [' + b"[]," * 300_000 + b"0]}"
    (tmp_path / "calls").write_bytes(data)
    tracemalloc.start()
    try:
        assert len(bodies(read(tmp_path / "calls"))) == 1
        assert tracemalloc.get_traced_memory()[1] < 6 * len(data)
    finally:
        tracemalloc.stop()


def test_bodies_keep_every_byte(tmp_path):
    text = 'a\x00b \ud800 é \u2028 "\\'
    raw = bytes(range(256))
    told = line(
        request_body=text,
        response_body=base64.b64encode(raw).decode(),
    )

    found = bodies(read(lines_file(tmp_path / "calls", [told])))

    assert found == [(text.encode("utf-8", "surrogatepass"), raw)]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"id": "x"', "is not JSON"),
        (b'{"url": "https://x/", "request_body": "\xff"}', "is not UTF-8 at byte"),
        (b'["a", "list"]', "Expected `object`"),
        (b'{"id": "x", "status": 200}', "has no `url`"),
        (b'{"url": "https://x/"}', "has no bodies"),
        (b'{"url": 5, "request_body": ""}', "Expected `str | null`, got `int` - at `$.url`"),
        (
            b'{"url": "https://x/", "request_body": "*", "request_body_encoding": "base64"}',
            "base64",
        ),
        (b'{"url": "https://x/", "request_body": "", "request_body_encoding": "gzip"}', "Invalid"),
        (b'{"messages": [], "api": "telnet"}', "its `api` is none of"),
        (b'{"x":' * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(tmp_path, bad, why):
    file = lines_file(tmp_path / "calls", [line("a")], bad + b"\n")
    with file.open("ab") as out:
        out.write(json.dumps(line("b")).encode())

    found = read(file)

    assert len(bodies(found)) == 2
    assert len(skipped(found)) == 1
    assert skipped(found)[0].startswith("line 2: ")
    assert why in skipped(found)[0]


def test_a_file_that_was_cut_says_so(tmp_path):
    whole = json.dumps(line()).encode()

    found = read(lines_file(tmp_path / "calls", [line()], whole[:-9]))

    assert len(bodies(found)) == 1
    assert "was the file cut there?" in skipped(found)[0]


def test_a_line_that_is_too_long_is_skipped_without_being_held(tmp_path):
    blocks = [b"a\n", b"x" * 50, b"x" * 50, b"x\nb", b"\nc"]

    assert list(numbered(blocks, longest=60)) == [(1, b"a"), (2, None), (3, b"b"), (4, b"c")]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_do_not_depend_on_the_blocks(size):
    data = b"one\n\ntwo\r\n" + b"three" * 100

    assert list(numbered(cuts(data, size))) == list(numbered([data]))


def test_cut_gzip_gives_what_came_before_and_a_clear_error(tmp_path):
    many = [line(str(n), tags=[sha256(str(n).encode()).hexdigest()]) for n in range(999)]
    packed = zipped(lines_file(tmp_path / "calls", many))
    packed.write_bytes(packed.read_bytes()[:-1000])
    found: Reading = []

    assert "the gzip data end early" in raised(lambda: found.extend(reading(packed)))
    assert 900 < len(bodies(found)) < 999


def test_damaged_gzip_is_named(tmp_path):
    packed = zipped(lines_file(tmp_path / "calls", [line(str(n)) for n in range(20_000)]))
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 0xFF
    packed.write_bytes(data)

    assert "damaged gzip data" in raised(lambda: read(packed))


@pytest.mark.parametrize("content", [b"", b" \n", b"<html>", b"\x00\x01", b"PK\x03\x04", b"[1]"])
def test_what_is_no_file_of_ours_is_refused(tmp_path, content):
    (tmp_path / "calls.jsonl").write_bytes(content)

    said = raised(lambda: read(tmp_path / "calls.jsonl"))

    assert "calls.jsonl" in said
    assert "nothing in it" in said or "--format" in said


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in raised(lambda: read(tmp_path / "none"))
    assert "Is a directory" in raised(lambda: read(tmp_path))


def test_a_session_becomes_a_call_for_each_response(tmp_path):
    def sent(**data):
        return {"kind": "message", "direction": "sent", "data": data}

    def received(**data):
        return {"kind": "message", "direction": "received", "data": data}

    told = {
        "id": "s",
        "api": "openai.realtime",
        "provider_host": "api.openai.com",
        "messages": [
            received(type="session.created", session={"model": "gpt-realtime"}),
            sent(type="response.create"),
            received(type="response.created", response={"id": "r1"}),
            received(type="response.done", response={"id": "r1"}),
            sent(type="response.create"),
            received(type="response.created", response={"id": "r2"}),
            received(type="response.done", response={"id": "r2"}),
            {"kind": "close", "code": 1000},
        ],
    }

    found = read(lines_file(tmp_path / "calls", [told]))

    assert [r.external_id for r in found if isinstance(r, Recording)] == ["s#1", "s#2"]
    assert all(b"response.done" in (answer or b"") for _, answer in bodies(found))


def test_the_longest_line_holds_two_bodies_of_the_default_limit():
    assert lines_module.LONGEST > 2 * (32 * 2**20 * 4 / 3)


def test_a_line_keeps_what_was_put_before_names(tmp_path):
    told = line(namespace_prefix="pay__", shortened={"pay__x_h": "x"}, left_alone=None)
    (found,) = read(lines_file(tmp_path / "calls", [told]))

    assert isinstance(found, Recording)
    assert (found.prefix, found.shortened, found.left_alone) == ("pay__", {"pay__x_h": "x"}, "")
