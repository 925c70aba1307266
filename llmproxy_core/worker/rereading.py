"""A call out of the store, as a case: after a restart, or where memory did not suffice."""

from llmproxy_core.policies import Policies
from llmproxy_core.providers.formats import read_request
from llmproxy_core.store import decisions, detail, unjudged
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import UnjudgedRow
from llmproxy_core.worker.cases import Case
from llmproxy_core.worker.docket import stored_case


def reread(database: Database, row: UnjudgedRow, policies: Policies) -> Case | None:
    """None: it is gone. Raises StoreError where a stored body is damaged."""
    with database.connect() as conn:
        asked = detail.request(conn, row.ns_id, row.id)
        told = detail.response(conn, row.ns_id, row.id)
        answer = detail.reread(conn, row.ns_id, row.id)
        decided = [one.policy for one in decisions.of_flow(conn, row.id)]
        namespace = unjudged.namespace(conn, row.ns_id)
    if asked is None or told is None or answer is None:
        return None
    request, _ = read_request(asked.wire, asked.path, asked.headers, asked.body)
    return stored_case(
        namespace,
        asked,
        told,
        request,
        answer[1],
        whole=row.request,
        decided=decided,
        policies=policies if policies.all else None,
    )
