"""Judge each request before it is sent, as far as policies ask: what is new in it, for what is
remembered of the rest.

Fails open: what could not be judged is told (`Judgement.left`, `faults`), and policies that fail
closed stop it, see `policies.py`. Nothing is changed here.
"""

from mitmproxy import http
from mitmproxy.addonmanager import Loader

from addons import bridge, judging
from llmproxy_core.masking.excerpts import note


class Anomaly:
    def load(self, loader: Loader) -> None:
        """Patterns and models are read now, before the first call comes."""
        bridge.interception().verdicts.warm()

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if bridge.upgrades(flow.request):
            return
        body = bridge.decoded_body(flow)
        judged = judging.judged(exchange.head, flow.request.path, body or b"", exchange.keeper)
        if body is None:
            judged.faults.append("its content coding cannot be undone")
        exchange.judged = judged
        note(judged, exchange.judgement, bridge.interception().masker, exchange.keeper)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client:
            head, keeper = session.head, session.keeper
            session.judged = judging.judged(head, head.path, message.content, keeper)
            masker = bridge.interception().masker
            note(session.judged, session.judgement, masker, session.keeper)
