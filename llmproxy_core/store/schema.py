"""The metadata of all tables, for Alembic."""

from llmproxy_core.store import (  # noqa: F401 - each adds its tables
    call_tables,
    guard_tables,
    learning_tables,
    namespace_tables,
)
from llmproxy_core.store.table import Table

METADATA = Table.metadata
