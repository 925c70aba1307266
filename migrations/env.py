"""Alembic's entry: run by `llmproxy_core.store.migrate`, which holds the lock and the connection."""

from alembic import context

from llmproxy_core.store.migrate import VERSION_TABLE
from llmproxy_core.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
