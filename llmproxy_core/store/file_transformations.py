"""The `[[transformations]]` of a home's `mitm.toml`, shown in the table."""

from collections.abc import Sequence

from llmproxy_core.config import TransformationConfig
from llmproxy_core.store import transformation_changes
from llmproxy_core.store.file_mirror import Clash, Mirror
from llmproxy_core.store.transformations import (
    PgConnection,
    StoredTransformation,
    told,
    transformations,
)


def bring(
    connection: PgConnection, home: str, written: Sequence[TransformationConfig]
) -> list[Clash]:
    """In place of those that the home had before."""
    return MIRROR.bring(connection, home, written)


def _is_same(before: StoredTransformation, one: TransformationConfig) -> bool:
    was = {"when": before.expression, "logic": before.logic} | {
        "order": before.order,
        "active": before.active,
    }
    return was == told(one)


MIRROR = Mirror(
    "transformation",
    transformation_changes.lock,
    transformations,
    transformation_changes.store,
    transformation_changes.REMOVE,
    _is_same,
    told,
    transformation_changes.tell,
)
