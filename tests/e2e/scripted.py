"""A provider of WebSockets that says what a test has put down for it."""

import ssl
import threading
from typing import Any

from websockets.sync.server import ServerConnection, serve

from llmproxy_core.simulator.certificate import write_certificates
from tests.threaded_tls import threaded

REALTIME = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
RESPONSES = "wss://api.openai.com/v1/responses"
LIVE = (
    "wss://generativelanguage.googleapis.com/ws/"
    "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
)


class Script:
    """A provider that answers each message with what a test has put down for it.

    A list is sent as a message in fragments; None closes the connection.
    """

    http_port = 9

    def __init__(self, folder: Any) -> None:
        self.ca_file, certificate = write_certificates(folder)
        context = threaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        context.load_cert_chain(certificate)
        self._server = serve(self._answer, "127.0.0.1", 0, ssl=context, max_size=None)
        self.https_port = self._server.socket.getsockname()[1]
        self.answers: list[list[Any]] = []
        self.got: list[str | bytes] = []

    def _answer(self, connection: ServerConnection) -> None:
        for message in connection:
            self.got.append(message)
            for one in self.answers.pop(0) if self.answers else []:
                if one is None:
                    connection.close()
                    return
                connection.send(one)

    def __enter__(self) -> "Script":
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
