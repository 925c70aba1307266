"""The base of all tables, and the types of their columns. `migrations/` makes the tables; a test
holds the two together.

Rules, so that the tables can be partitioned by id and spread over servers unchanged: `ns_id`
first in every key and index, uuidv7 ids made by the client, no sequences, no triggers. A row of a
hot table (requests, responses, tool_calls, analytics_events) is inserted once and never updated.

Hot tables have no foreign keys: each would cost a locked look-up a row, and the writer alone
writes them, a whole exchange from one journal in order. `spool_offsets` belongs to no namespace:
a journal carries the flows of all.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

type NamespaceId = Annotated[int, mapped_column(Integer)]
type Time = Annotated[datetime, mapped_column(DateTime(timezone=True))]
type Tokens = Annotated[int, mapped_column(BigInteger)]
type Count = Annotated[int, mapped_column(BigInteger)]
type Bytes = Annotated[int, mapped_column(BigInteger)]
type Millis = Annotated[float, mapped_column(Double)]
type Usd = Annotated[Decimal, mapped_column(Numeric)]
type Hash = Annotated[UUID, mapped_column(Uuid)]
"""128 bits of xxh3, see `hashing`."""
type Body = Annotated[bytes, mapped_column(LargeBinary)]
"""Compressed as `*_encoding` says."""
type Names = Annotated[list[str], mapped_column(ARRAY(Text))]
type Json = Annotated[Any, mapped_column(JSONB)]
type Buckets = Annotated[list[int], mapped_column(ARRAY(SmallInteger))]
type Counts = Annotated[list[int], mapped_column(ARRAY(Integer))]
type Amount = Annotated[float, mapped_column(Double)]
type Score = Annotated[float, mapped_column(REAL)]
type Small = Annotated[int, mapped_column(SmallInteger)]
type Ids = Annotated[list[UUID], mapped_column(ARRAY(Uuid))]


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map = {str: Text, int: Integer, UUID: Uuid}  # noqa: RUF012 - SQLAlchemy's way
