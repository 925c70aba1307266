"""The order in which transformations are done: one of them moved among the others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmproxy_core.errors import StoreError
from llmproxy_core.store.transformation_changes import existing, lock, tell
from llmproxy_core.store.transformations import (
    MITM_TOML,
    PgConnection,
    StoredTransformation,
    transformations,
    where,
)
from llmproxy_core.store.values import clean

MOST = 1_000_000
"""Orders are between this and its negative."""
REORDER = """
UPDATE transformations SET sort_order = %s, updated_by = %s, updated_at = now() WHERE name = %s
"""


def move(connection: PgConnection, name: str, by: int, actor: str) -> bool:
    """Let it be done `by` places later (negative: earlier); False: it is at that end already.

    It gets a number between those of its new neighbours; where there is none, those behind it get
    higher ones.

    Raises:
        StoreError: there is none of this name, or one that would have to change is of a `mitm.toml`.
    """
    with connection.transaction():
        lock(connection)
        existing(connection, name)
        before = transformations(connection)
        moved = list(renumbered(before, name, by))
        for one in moved:
            connection.execute(REORDER, [one.order, clean(actor), one.name])
        if moved:
            orders = {one.name: one.order for one in before}
            facts = {one.name: {"before": orders[one.name], "now": one.order} for one in moved}
            tell(connection, actor, "transformation order", name, {"order": facts})
    return bool(moved)


def renumbered(
    found: Sequence[StoredTransformation], name: str, by: int
) -> Iterator[StoredTransformation]:
    """Those that get another number, so that it is `by` places further down. `found`: in order.

    Raises:
        StoreError: one of them is of a `mitm.toml`, or there are no numbers left.
    """
    at = [one.name for one in found].index(name)
    to = max(0, min(len(found) - 1, at + by))
    if to == at:
        return
    rest = [*found[:at], *found[at + 1 :]]
    before = rest[to - 1] if to else None
    behind = rest[to:]
    one = _changed(found[at], _between(before, found[at], behind[0] if behind else None))
    yield one
    for other in behind:
        if other.order > one.order:
            return
        one = _changed(other, one.order + 1)
        yield one


def _between(
    before: StoredTransformation | None,
    one: StoredTransformation,
    behind: StoredTransformation | None,
) -> int:
    """A number between those of its neighbours, or at least above the former."""
    if before is None:
        return behind.order - 1 if behind is not None else one.order
    low = before.order + 1
    return max(low, (low + behind.order - 1) // 2) if behind is not None else low


def _changed(one: StoredTransformation, order: int) -> StoredTransformation:
    if one.origin == MITM_TOML:
        raise StoreError(f"{one.name} is in {where(one)}. Change its order there.")
    if abs(order) > MOST:
        raise StoreError(
            f"{one.name}: an order is at most {MOST:,}. Set others with `transform set`."
        )
    return replace(one, order=order)
