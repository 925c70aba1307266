"""Flow files of mitmproxy are read in a process of their own."""

import gzip
from pathlib import Path

import pytest
from mitmproxy import flow as mitmproxy_flow
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow, tutils

from llmproxy_core.interchange.incoming.recording import Recording
from tests.unit.interchange.recorded import ANSWER, QUESTION, bodies, raised, read, skipped, zipped


def chat(**changes):
    packed = gzip.compress(ANSWER, mtime=0)
    request = tutils.treq(
        method=b"POST",
        scheme=b"https",
        authority=b"",
        host="192.0.2.1",
        port=443,
        path=b"/v1/chat/completions",
        headers=((b"Host", b"api.openai.com"), (b"authorization", b"Bearer x")),
        content=QUESTION,
    )
    response = tutils.tresp(headers=((b"content-encoding", b"gzip"),), content=packed)
    return tflow.tflow(req=request, resp=response, **changes)


def flow_file(file: Path, *flows: mitmproxy_flow.Flow) -> Path:
    with file.open("wb") as out:
        writer = FlowWriter(out)
        for one in flows:
            writer.add(one)
    return file


def test_a_flow_is_an_exchange_with_the_bytes_that_passed(tmp_path):
    one = chat()

    (found,) = read(flow_file(tmp_path / "flows", one))

    assert isinstance(found, Recording)
    assert bodies([found]) == [(QUESTION, gzip.compress(ANSWER, mtime=0))]
    assert found.url == "https://api.openai.com:443/v1/chat/completions"
    assert "192.0.2.1" in found.other_hosts
    assert found.external_id == one.id
    assert found.at == int(one.request.timestamp_start * 10**9)
    assert (found.status, found.ending) == (200, "")


@pytest.mark.parametrize("bad", [{"timestamp_start": 1e308}, {"timestamp_start": float("inf")}])
def test_a_flow_of_no_possible_time_is_named_and_the_others_are_read(tmp_path, bad):
    odd = chat()
    for name, value in bad.items():
        setattr(odd.request, name, value)

    found = read(flow_file(tmp_path / "flows", chat(), odd, chat()))

    assert len(bodies(found)) == 2
    assert [told.partition(":")[0] for told in skipped(found)] == ["flow 2"]


def test_gzip_is_undone(tmp_path):
    assert len(bodies(read(zipped(flow_file(tmp_path / "flows", chat(), chat()))))) == 2


def test_a_flow_that_failed_says_how(tmp_path):
    cut = chat()
    cut.error = mitmproxy_flow.Error("Client disconnected.")

    (found,) = read(flow_file(tmp_path / "flows", cut))

    assert isinstance(found, Recording)
    assert (found.ending, found.error) == ("client_closed", "Client disconnected.")


def test_what_is_not_http_is_skipped(tmp_path):
    found = read(flow_file(tmp_path / "flows", tflow.ttcpflow(), chat(), tflow.tdnsflow()))

    assert len(bodies(found)) == 1
    assert skipped(found) == ["flow 1: not HTTP: tcp", "flow 3: not HTTP: dns"]


def test_a_websocket_without_a_model_is_skipped(tmp_path):
    assert skipped(read(flow_file(tmp_path / "flows", tflow.twebsocketflow()))) == [
        "flow 1: a WebSocket without a response of a model"
    ]


@pytest.mark.parametrize("left", [1, 200])
def test_a_cut_file_gives_what_came_before_and_a_clear_error(tmp_path, left):
    file = flow_file(tmp_path / "flows", chat(), chat())
    file.write_bytes(file.read_bytes()[:-left])

    said = raised(lambda: read(file))

    assert "flows: cannot be read after flow 1" in said


def test_what_only_begins_like_a_flow_file_is_refused(tmp_path):
    (tmp_path / "flows").write_bytes(b"12:hello world!,5:x")

    assert "cannot be read after flow 0" in raised(lambda: read(tmp_path / "flows"))


def test_damaged_gzip_is_named_as_such(tmp_path):
    packed = zipped(flow_file(tmp_path / "flows", chat(), chat()))
    packed.write_bytes(packed.read_bytes()[:-20])

    assert "gzip" in raised(lambda: read(packed))
