"""What is wrong with a call that is over, and of which no text is written that could be judged later.

So the proxy keeps its bytes until they are judged, in a thread: one call after the other, and no
more than MOST_BYTES of those that wait. What is too much for it is told as a fault.
"""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from llmproxy_core.anomaly.finding import Detector, Text
from llmproxy_core.anomaly.learning import Learned
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.texts import answer_texts
from llmproxy_core.anomaly.verdicts import Judged, Verdicts
from llmproxy_core.masking.excerpts import as_written, unsaid
from llmproxy_core.masking.masker import Masker
from llmproxy_core.model import Headers, Response
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.policies.engine import Policies
from llmproxy_core.policies.facts import of_response
from llmproxy_core.policies.ruling import OUTCOMES, reason
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Decision, Judgement

MOST_BYTES = 64 * 2**20
"""Of calls that wait."""


@dataclass(slots=True)
class Ended:
    """A call that is over. `request`: its body, if it was not judged whole before; `known`: what
    was found in it then. `calls`: are its calls of tools still to be judged?"""

    wire: str
    path: str
    namespace: str
    status: int
    headers: Headers
    chunks: Sequence[bytes]
    request: bytes | None = None
    known: Sequence[Located] = ()
    calls: bool = True
    names: ClientNames = field(default_factory=ClientNames)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks)) + len(self.request or b"")


class Hindsight:
    """`asked` and `answered` of `judge` are None where nothing was found."""

    def __init__(self, detectors: Sequence[Detector], masker: Masker) -> None:
        self._detectors = detectors
        self._masker = masker
        self._thread = ThreadPoolExecutor(1, "llmproxy-hindsight")
        self._waiting = 0
        self._over = False

    def close(self) -> None:
        """What has not been judged by now is not judged any more."""
        self._over = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def judge(
        self, call: Ended, policies: Policies, learned: Learned
    ) -> tuple[Judgement | None, Judgement | None]:
        """What is to be written of request and answer."""
        if self._over:
            return None, None
        if self._waiting + call.size > MOST_BYTES:
            return None, Judgement(faults=["not judged: too many calls wait for it"])
        self._waiting += call.size
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._judge, call, policies, learned)
        finally:
            self._waiting -= call.size

    def _judge(
        self, call: Ended, policies: Policies, learned: Learned
    ) -> tuple[Judgement | None, Judgement | None]:
        verdicts = Verdicts(self._detectors)
        asked = Judged()
        if call.request is not None:
            asked = verdicts.request(call.wire, call.path, call.request, whole=True)
            known = {_place(one) for one in call.known}
            asked.found = [one for one in asked.found if _place(one) not in known]
        reader = AnswerReader(call.wire, call.status, call.headers, call.path)
        for chunk in call.chunks:
            reader.feed(chunk)
        response = reader.finish()
        answered = Judged()
        for text in _texts(call, response):
            if self._over:
                break
            found = verdicts.text(text)
            answered.found += found.found
            answered.faults += found.faults
        answered.worth_telling(learned, call.namespace)
        decisions = _decisions(call, policies, response, answered.found)
        told = self._told(asked.worth_telling(learned, call.namespace), [])
        return told, self._told(answered, decisions)

    def _told(self, judged: Judged, decisions: list[Decision]) -> Judgement | None:
        found = as_written(judged.found, self._masker, excerpts=False)
        told = Judgement(found, unsaid(decisions), 0, list(dict.fromkeys(judged.faults)))
        return told if told.says else None


def _texts(call: Ended, response: Response) -> Iterable[Text]:
    for text in answer_texts(response):
        if text.kind != "arguments" or call.calls:
            yield replace(text, tool=call.names.of(text.tool)) if text.tool else text


def _decisions(
    call: Ended, policies: Policies, response: Response, found: list[Located]
) -> list[Decision]:
    """Of the policies that ask about findings in answers; the worker asks the others."""
    facts = call.facts | of_response(response, call.status, call.size, None)
    decided = []
    for hit in policies.hits("answer", facts, found) if found else []:
        policy = hit.policy
        if policy.asks_findings:
            numbers = tuple(n for n, one in enumerate(found) if one in hit.findings)
            why = reason(hit, response.model or "")
            outcome = OUTCOMES[policy.action]
            decided.append(Decision(policy.name, policy.mode, policy.action, outcome, why, numbers))
    return decided


def _place(located: Located) -> tuple[str, bytes, int, int]:
    one = located.finding
    return one.detector, located.hash, one.start, one.end
