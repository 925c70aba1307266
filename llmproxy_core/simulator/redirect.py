"""A script for mitmdump that sends every provider's traffic to the simulated provider.

    LLMPROXY_SIMULATOR_PORT=9443 mitmdump -s addons/ -s llmproxy_core/simulator/redirect.py \
        --set ssl_verify_upstream_trusted_ca=…/ca.pem

Connections to port 443 of any other machine go to LLMPROXY_SIMULATOR_PORT on loopback, with the
TLS server name kept; all others go to LLMPROXY_SIMULATOR_HTTP_PORT, or nowhere if that is not
set. So nothing leaves this machine. Once connected, the address is put back, so that mitmproxy
and its addons see the host that the program asked for.
"""

import os
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")
NOWHERE = "9"  # "discard": nothing listens there

_asked_for: dict[str, tuple[str, int]] = {}


def server_connect(data: Any) -> None:
    """`data` is mitmproxy's ServerConnectionHookData."""
    host, port = data.server.address[:2]
    if host in LOOPBACK:
        return
    name = "LLMPROXY_SIMULATOR_PORT" if port == 443 else "LLMPROXY_SIMULATOR_HTTP_PORT"
    if data.server.sni is None:
        data.server.sni = host
    _asked_for[data.server.id] = (host, port)
    data.server.address = ("127.0.0.1", int(os.environ.get(name, NOWHERE)))


def server_connected(data: Any) -> None:
    _restore(data.server)


def server_connect_error(data: Any) -> None:
    _restore(data.server)


def _restore(server: Any) -> None:
    """Past the property that forbids it on an open connection: only the label changes."""
    if asked_for := _asked_for.pop(server.id, None):
        vars(server)["address"] = asked_for
