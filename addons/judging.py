"""What the detectors say of a request, or of a frame of a client."""

from addons import bridge
from llmproxy_core.anomaly.detectors import finding
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.pipeline import Head


def judged(head: Head, path: str, body: bytes, keeper: Keeper | None) -> Judged:
    """By the detectors whose findings a policy asks about; the others are the worker's, but for a
    call of which it gets no text."""
    shared = bridge.interception()
    policies, learned = shared.rulebook.policies, shared.rulebook.learned
    asked = None
    if shared.config.anomaly.inline == "policies" and not (keeper and keeper.skeleton):
        asked = finding(policies.families("request"))
    found = shared.verdicts.request(head.wire, path, body, asked=asked, whole=policies.closed)
    return found.worth_telling(learned, head.namespace)
