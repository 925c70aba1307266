import pytest

from llmproxy_core.simulator import Simulator
from tests.postgres import database, postgres_home

__all__ = ["database", "postgres_home"]


@pytest.fixture(scope="session")
def simulator():
    with Simulator() as running:
        yield running
