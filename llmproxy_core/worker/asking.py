"""A request as conversations are made of: what was said, by whom, and what it says it continues."""

from collections.abc import Mapping
from uuid import UUID

from llmproxy_core.conversations.asides import is_aside
from llmproxy_core.conversations.node import Asked
from llmproxy_core.model import Request
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.records import Opened
from llmproxy_core.worker.naming import Thread, caller


def read_asked(
    ns_id: int,
    opened: Opened,
    headers: Mapping[str, str],
    request: Request,
    body: bytes,
    thread: Thread | None,
    weak: Thread | None,
) -> Asked:
    """`body`: as on the wire; `headers`: by name. `thread` and `weak`: the session that is named, and a hint at one."""
    if "content-encoding" in headers:
        body, _ = decode_body(opened.headers, body)
    return Asked(
        id=UUID(bytes=opened.id),
        at=opened.at,
        wire=opened.wire,
        caller=caller(ns_id, opened, headers, thread, weak),
        request=request,
        body=body,
        previous=request.session_hints.get("previous_response_id"),
        aside=is_aside(opened.path, headers, request),
    )
