"""The tables of namespaces, and of who may read them."""

from sqlalchemy import ForeignKey, PrimaryKeyConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from llmproxy_core.store.table import Json, Names, NamespaceId, Table, Time


class NamespaceTable(Table):
    """`match` to `source` are its rule, see `namespaces`; a prefix is that of one namespace."""

    __tablename__ = "namespaces"
    ns_id: Mapped[NamespaceId] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Time] = mapped_column(server_default=sql("now()"))
    retention_days: Mapped[int | None]
    prefix: Mapped[str | None] = mapped_column(unique=True)
    match: Mapped[Json | None]
    reserved: Mapped[Json | None]
    on_too_long: Mapped[str | None]
    position: Mapped[int | None]
    source: Mapped[str | None]
    home: Mapped[str | None]
    former_names: Mapped[Names] = mapped_column(server_default=sql("'{}'::text[]"))
    plain_text: Mapped[bool | None]
    capture: Mapped[str | None]


class MemberTable(Table):
    """Which namespaces a role may read; row-level security asks it."""

    __tablename__ = "namespace_members"
    ns_id: Mapped[NamespaceId] = mapped_column(ForeignKey(NamespaceTable.ns_id))
    role_name: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "role_name"),)
