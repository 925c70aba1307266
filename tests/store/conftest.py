from tests.postgres import both_homes as postgres_home
from tests.postgres import database

__all__ = ["database", "postgres_home"]
