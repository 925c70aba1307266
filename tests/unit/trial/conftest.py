from tests.postgres import database, postgres_home

__all__ = ["database", "postgres_home"]
