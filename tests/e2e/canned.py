"""A provider that answers with the bytes that a test has put down."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from llmproxy_core.simulator.certificate import write_certificates


class Canned:
    """`says` what comes next, whatever is asked."""

    http_port = 9

    def __init__(self, folder: Any, *more_hosts: str) -> None:
        self.ca_file, certificate = write_certificates(folder, more_hosts)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.raw = b""
        canned = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                self.wfile.write(canned.raw)
                self.close_connection = b"content-length" not in canned.raw.lower()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.https_port = self._server.server_port

    def says(self, headers: dict[str, str], body: bytes, counted: bool = True) -> None:
        told = {**headers, **({"content-length": str(len(body))} if counted else {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        self.raw = f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body

    def __enter__(self) -> "Canned":
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
