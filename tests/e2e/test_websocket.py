"""WebSocket sessions: frames pass untouched, are recorded while they pass, and are not hoarded."""

import json
import ssl
import threading
import time

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from llmproxy_core.simulator.certificate import write_certificates
from tests.mitm import Mitmdump, wait_for


class Echo:
    """Answers every text with two events; looks like `Simulator` to `Mitmdump`."""

    http_port = 9

    def __init__(self, folder):
        self.ca_file, certificate = write_certificates(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = serve(self._answer, "127.0.0.1", 0, ssl=context)
        self.https_port = self._server.socket.getsockname()[1]

    def _answer(self, connection) -> None:
        for message in connection:
            if isinstance(message, bytes):
                connection.send(message[::-1])
            else:
                connection.send(json.dumps({"type": "response.delta", "delta": message}))
                connection.send(json.dumps({"type": "response.done"}))

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def proxy(tmp_path):
    with Echo(tmp_path) as echo, Mitmdump(tmp_path, simulator=echo) as running:
        yield running


def test_a_session_is_recorded_frame_by_frame(proxy):
    url = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
    headers = {"Authorization": "Bearer sk-test-0123456789abcdef"}
    with connect(url, ssl=proxy.trust(), proxy=proxy.url, additional_headers=headers) as socket:
        socket.send("Grüße \u0000")
        assert json.loads(socket.recv())["delta"] == "Grüße \u0000"
        socket.recv()
        early = wait_for(lambda: next((c for c in proxy.calls() if c.response), None))
        assert early.closed is None
        socket.send(b"\x00\xff")
        assert socket.recv() == b"\xff\x00"

    call = proxy.closed(1)[0]
    frames = [json.loads(line) for line in call.response.splitlines()]
    assert [(f["from"], f["type"]) for f in frames] == [
        ("client", "text"),
        ("server", "text"),
        ("server", "text"),
        ("client", "binary"),
        ("server", "binary"),
    ]
    assert frames[0]["data"] == "Grüße \u0000"
    assert frames[4]["data"] == "/wA="
    assert call.status == 101
    assert call.opened.wire == "openai.realtime"
    assert abs(frames[0]["at"] - time.time_ns()) < 60e9


def test_the_responses_of_codex_are_a_session_of_their_own_wire(proxy):
    url = "wss://api.openai.com/v1/responses"
    with connect(url, ssl=proxy.trust(), proxy=proxy.url) as socket:
        socket.send("{}")
        socket.recv()

    assert proxy.closed(1)[0].opened.wire == "openai.responses.websocket"


def test_the_same_path_without_a_websocket_is_not_a_call(proxy):
    with httpx.Client(proxy=proxy.url, verify=proxy.trust()) as http:
        http.get("https://api.openai.com/v1/realtime?model=gpt-realtime")

    assert not proxy.calls()
