"""What journals tell, as learning needs it: a call that is over, what was done to it, feedback."""

from collections.abc import Iterator
from uuid import UUID

from llmproxy_core.model import header
from llmproxy_core.records import Closed, Enhanced, Event
from llmproxy_core.store.learning_rows import AppliedRow
from llmproxy_core.success.call import Call
from llmproxy_core.success.feedback import Feedback
from llmproxy_core.worker.demanded import Demanded
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.naming import address
from llmproxy_core.worker.seal import Sealed

EXPERIMENT = "experiment:"
"""Begins the name of what has failed where it is no transformation."""


def call_of(exchange: Exchange, record: Closed, sealed: Sealed, asked: Demanded) -> Call:
    """As signals judge it."""
    opened, node, answer = exchange.opened, exchange.node, exchange.answer
    agent = header(opened.headers, "user-agent") or ""
    return Call(
        id=exchange.id,
        ns_id=exchange.ns_id,
        session=exchange.session_id,
        at=opened.at,
        ended=record.at,
        wire=opened.wire,
        status=answer.status if answer is not None else 0,
        request=exchange.request,
        response=sealed.answer,
        ending=record.ending,
        body=asked.body,
        client=f"{opened.proxy_user or ''}\0{address(opened.client)}\0{agent}",
        relation=node.relation if node is not None else "root",
        parent=node.parent if node is not None else None,
        aside=node is not None and node.aside,
        mute=opened.body_kept != "full" or sealed.response.body_kept != "full",
    )


def applied_rows(call: Call, done: Enhanced) -> Iterator[AppliedRow]:
    """What the proxy did, and what it left alone."""
    kept = done.kept if done.kept >= 0 else None
    for name in done.applied:
        yield AppliedRow(call.ns_id, call.id, "transformation", name, kept=kept)
    failed = dict(done.failed)
    for id, arm in done.arms:
        why = failed.pop(f"{EXPERIMENT}{id}", None)
        root = done.root or None
        yield AppliedRow(call.ns_id, call.id, "experiment", id, arm, why, root, kept)
    for name, why in failed.items():
        if not name.startswith(EXPERIMENT):
            yield AppliedRow(call.ns_id, call.id, "transformation", name, why=why)


def feedback_of(record: Event) -> tuple[Feedback, UUID | None] | None:
    """What a person says, and the call in whose header it stood."""
    if record.kind != "feedback":
        return None
    about, verdict, by = (record.data.get(name) for name in ("about", "verdict", "by"))
    if not isinstance(about, str) or verdict not in ("good", "bad"):
        return None
    try:
        told = UUID(by) if isinstance(by, str) and by else None
    except ValueError:
        told = None
    return Feedback(about, "good" if verdict == "good" else "bad"), told
