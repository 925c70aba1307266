"""TLS is opened for LLM hosts only; every other host keeps its own certificate.

The name is taken from SNI, else from the address the client asked for. In reverse mode the
target was named by the person who started the proxy, and is always opened.
"""

import asyncio
import logging

from mitmproxy import tls
from mitmproxy.proxy import mode_specs

from addons import bridge
from llmproxy_core.programs import program_of

logger = logging.getLogger("llmproxy")


class Passthrough:
    def __init__(self) -> None:
        self.told: set[tuple[str, str]] = set()

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        try:
            if not self._opens(data):
                data.ignore_connection = True
            elif (host := _host(data)).endswith("."):
                data.context.server.sni = host.rstrip(".")  # mitmproxy fails at such a name
        except Exception as exc:  # noqa: BLE001  fails closed: what we cannot judge is not opened
            data.ignore_connection = True
            bridge.tell_fault("Passthrough.tls_clienthello", exc)

    def _opens(self, data: tls.ClientHelloData) -> bool:
        context = data.context
        if isinstance(context.client.proxy_mode, mode_specs.ReverseMode):
            return True
        address = context.server.address
        port = address[1] if address else 443
        return bridge.interception().recogniser.opens(_host(data), port)

    async def tls_failed_client(self, data: tls.TlsData) -> None:
        """Name the program that does not trust the CA, once per program and host."""
        try:
            await self._tell(data)
        except Exception as exc:  # noqa: BLE001  fails open: the connection is gone anyway
            bridge.tell_fault("Passthrough.tls_failed_client", exc)

    async def _tell(self, data: tls.TlsData) -> None:
        client = data.conn
        host = client.sni or (data.context.server.address or ("?",))[0]
        error = client.error or "the handshake failed"
        address = f"{client.peername[0]}:{client.peername[1]}" if client.peername else "?"
        program = await asyncio.to_thread(program_of, client.peername)
        if (program or address, host) in self.told or len(self.told) > 1000:
            return
        self.told.add((program or address, host))
        distrusts = "does not trust" in error or "unknown ca" in error.lower()
        if distrusts:
            logger.warning(
                f"{program or address} does not trust the CA, so its calls to {host} fail. "
                "Start it with `llmproxy run -- …`, or see `llmproxy cert`."
            )
        bridge.interception().tell(
            "tls_failed",
            program=program,
            client=address,
            host=host,
            error=bridge.readable(error),
            distrusts_ca=distrusts,
        )


def _host(data: tls.ClientHelloData) -> str:
    """The host that the client means: by SNI, else by the address that it asked for."""
    address = data.context.server.address
    return data.client_hello.sni or (address[0] if address else "")
