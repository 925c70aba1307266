"""WebSocket sessions: frames pass untouched, are recorded while they pass, and are not hoarded."""

import json
import ssl
import threading
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from llmproxy_core.simulator.certificate import write_certificates
from tests.mitm import Mitmdump, wait_for
from tests.threaded_tls import threaded

pytestmark = pytest.mark.system


class Echo:
    """Answers every text with two events; looks like `Simulator` to `Mitmdump`."""

    http_port = 9

    def __init__(self, folder):
        self.ca_file, certificate = write_certificates(folder)
        context = threaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        context.load_cert_chain(certificate)
        self._server = serve(
            self._answer, "127.0.0.1", 0, ssl=context, process_request=self._refuse
        )
        self.https_port = self._server.socket.getsockname()[1]

    def _refuse(self, connection, request):
        return connection.respond(401, "no key") if "refuse" in request.path else None

    def _answer(self, connection) -> None:
        for message in connection:
            if isinstance(message, bytes):
                connection.send(message[::-1])
            else:
                delta = {"type": "response.delta", "delta": message}
                connection.send(json.dumps(delta, ensure_ascii=False))
                if "silent" not in message:
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


def ask(socket, text: str) -> None:
    socket.send(json.dumps({"type": "response.create", "text": text}))
    assert json.dumps(text)[1:-1] in json.loads(socket.recv())["delta"]
    socket.recv()


def test_each_response_of_a_session_is_a_call_recorded_frame_by_frame(proxy):
    url = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
    headers = {"Authorization": "Bearer sk-test-0123456789abcdef"}
    with connect(
        url, ssl=proxy.trust(), proxy=proxy.url, additional_headers=headers, open_timeout=60
    ) as socket:
        ask(socket, "Gr\u00fc\u00dfe")
        first = proxy.closed(1)[0]  # while the session goes on
        socket.send(b"\x00\xff")
        assert socket.recv() == b"\xff\x00"
        ask(socket, "again")

    second = proxy.closed(2)[1]
    assert [frames(call.request) for call in (first, second)] == [
        [("client", "text")],
        [("client", "binary"), ("server", "binary"), ("client", "text")],
    ]
    assert frames(first.response) == frames(second.response) == [("server", "text")] * 2
    assert json.loads(second.request.splitlines()[0])["data"] == "AP8="
    assert "Gr\u00fc\u00dfe" in json.loads(json.loads(first.request)["data"])["text"]
    assert first.status == second.status == 101
    assert first.opened.wire == "openai.realtime"
    assert b"sk-test" not in first.request
    assert abs(json.loads(first.request)["at"] - time.time_ns()) < 60e9


def frames(body: bytes) -> list[tuple[str, str]]:
    return [(f["from"], f["type"]) for f in map(json.loads, body.splitlines())]


def test_the_responses_of_codex_are_calls_of_their_own_wire(proxy):
    url = "wss://api.openai.com/v1/responses"
    with connect(url, ssl=proxy.trust(), proxy=proxy.url, open_timeout=60) as socket:
        ask(socket, "x")

    assert proxy.closed(1)[0].opened.wire == "openai.responses.websocket"


def test_a_handshake_that_is_refused_is_a_call_that_failed(proxy):
    url = "wss://api.openai.com/v1/realtime?model=refuse"
    with pytest.raises(InvalidStatus):
        connect(url, ssl=proxy.trust(), proxy=proxy.url, open_timeout=60)

    call = proxy.closed(1)[0]
    assert call.status == 401
    assert call.opened.method == "GET"


def test_a_session_in_which_nothing_is_said_is_no_call(proxy):
    with connect(
        "wss://api.openai.com/v1/responses", ssl=proxy.trust(), proxy=proxy.url, open_timeout=60
    ):
        pass
    with connect(
        "wss://api.openai.com/v1/responses", ssl=proxy.trust(), proxy=proxy.url, open_timeout=60
    ) as socket:
        ask(socket, "x")

    assert len(proxy.closed(1)) == 1


def test_a_session_that_breaks_off_leaves_its_answer_as_it_is(proxy):
    url = "wss://api.openai.com/v1/responses"
    with connect(url, ssl=proxy.trust(), proxy=proxy.url, open_timeout=60) as socket:
        socket.send(json.dumps({"type": "response.create", "silent": True}) + "\n")  # a word ends
        assert "delta" in socket.recv()
        open_call = wait_for(lambda: next((c for c in proxy.calls() if c.response), None))
        assert open_call.closed is None

    assert proxy.closed(1)[0].closed.ending == "client_closed"


def test_the_same_path_without_a_websocket_is_not_a_call(proxy):
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        http.get("https://api.openai.com/v1/realtime?model=gpt-realtime")

    assert not proxy.calls()
