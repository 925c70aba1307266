"""Judge each request before it is sent: what is new in it, for what is remembered of the rest.

Fails open: what could not be judged is told (`Judgement.left`, `faults`), and policies that fail
closed stop it, see `policies.py`. Nothing is changed here.
"""

from mitmproxy import http
from mitmproxy.addonmanager import Loader

from addons import bridge
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.redaction.excerpts import note


class Anomaly:
    def load(self, loader: Loader) -> None:
        """Patterns and models are read now, before the first call comes."""
        if _looks():
            bridge.interception().verdicts.warm()

    @bridge.guarded
    def request(self, flow: http.HTTPFlow) -> None:
        exchange = bridge.exchange(flow)
        if exchange is None or exchange.opened or flow.request.raw_content is None:
            return
        if bridge.upgrades(flow.request) or not _looks():
            return
        head, body = exchange.head, bridge.decoded_body(flow)
        judged = _judged(head.wire, flow.request.path, body or b"", head.namespace)
        if body is None:
            judged.faults.append("its content coding cannot be undone")
        exchange.judged = judged
        note(judged, exchange.judgement, bridge.interception().masker, exchange.keeper)

    @bridge.guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        session = bridge.session(flow)
        if session is None or flow.websocket is None or not _looks():
            return
        message = flow.websocket.messages[-1]
        if message.from_client:
            head = session.head
            session.judged = _judged(head.wire, head.path, message.content, head.namespace)
            masker = bridge.interception().masker
            note(session.judged, session.judgement, masker, session.keeper)


def _looks() -> bool:
    shared = bridge.interception()
    return shared.config.anomaly.proxy or shared.rulebook.policies.asks_findings


def _judged(wire: str, path: str, body: bytes, namespace: str) -> Judged:
    shared = bridge.interception()
    rules = shared.rulebook
    judged = shared.verdicts.request(wire, path, body, whole=rules.policies.closed)
    return judged.worth_telling(rules.learned, namespace)
