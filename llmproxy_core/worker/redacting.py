"""What policies with `redact_store` find in answers is masked before they are stored.

Secrets are masked by the proxy already. What else is not to be stored, such as personal data, is
looked for here, as the proxy has no time to judge answers; the journal has it until it is stored.
"""

import logging
from dataclasses import dataclass

import msgspec

from llmproxy_core.anomaly.detectors import SECRETS, finding
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.panel import Panel
from llmproxy_core.anomaly.texts import answer_texts
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.masker import Masker, Secret, label
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.model import Response
from llmproxy_core.policies import Policies, Policy
from llmproxy_core.policies.facts import Facts
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Closed
from llmproxy_core.worker.cases import hash_of
from llmproxy_core.worker.docket import facts_of
from llmproxy_core.worker.exchanges import Exchange

ACTION = "redact_store"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Redacted:
    """An answer as it may be stored: read anew from what is left of its body."""

    closed: Closed
    response: Response


class Redacting:
    """Not thread-safe."""

    def __init__(self, masker: Masker, panel: Panel) -> None:
        self._tools = SecretMasking(SECRETS, masker)
        self._panel = panel

    def __call__(
        self, exchange: Exchange, closed: Closed, response: Response, policies: Policies
    ) -> Redacted | None:
        """None: it may be stored as it is. Changes the body of the exchange. Raises nothing: an
        answer that cannot be looked into is stored as it is, and that is told."""
        if not wanted(policies):
            return None
        try:
            secrets = self._secrets(exchange, response, policies)
            return self._without(exchange, closed, secrets) if secrets else None
        except Exception as exc:  # noqa: BLE001  fails open
            logger.warning(f"an answer is stored as it is: {type(exc).__name__}: {exc}")
            return None

    def _secrets(self, exchange: Exchange, response: Response, policies: Policies) -> list[Secret]:
        asked = finding({name for one in wanted(policies) for name in one.families})
        found: list[Located] = []
        for text in answer_texts(response):
            faults: list[str] = []
            located = self._panel.find(text, faults, asked)
            found += (Located.of(one, text, hash_of(text)) for one in located)
        if not found:
            return []
        facts: Facts = facts_of(exchange, policies)
        hits = policies.hits("answer", facts, found)
        return [
            Secret(label(one.finding), one.value)
            for hit in hits
            if hit.policy.action == ACTION and hit.policy.enforced
            for one in hit.findings
        ]

    def _without(self, exchange: Exchange, closed: Closed, secrets: list[Secret]) -> Redacted:
        answer, opened = exchange.answer, exchange.opened
        status, headers = (answer.status, answer.headers) if answer else (0, [])
        masked = Masked(self._tools, secrets)
        keeper = masked.frames() if opened.wire in FRAMED else masked
        keeper.answer(status, headers)
        kept = keeper.feed(exchange.body)
        rest = keeper.finish(complete=closed.ending == "complete")
        exchange.chunks = [rest if keeper.again else kept + rest]
        reader = AnswerReader(opened.wire, status, headers, opened.path)
        reader.feed(exchange.body)
        counts = {"masked": closed.masked + keeper.masked, "kept_bytes": len(exchange.body)}
        return Redacted(msgspec.structs.replace(closed, **counts), reader.finish())


def wanted(policies: Policies) -> list[Policy]:
    """The policies that want it."""
    return [one for one in policies.of("answer") if one.action == ACTION and one.enforced]
