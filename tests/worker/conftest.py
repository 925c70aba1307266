from pathlib import Path

import pytest

from llmproxy_core.config import Config, DatabaseConfig
from llmproxy_core.home import Home, private_folder
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store.database import Database
from llmproxy_core.worker.storage import DatabaseStorage
from tests.postgres import both_homes as postgres_home
from tests.postgres import database

__all__ = ["database", "postgres_home"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    private_folder(home.path)
    private_folder(home.spool)
    return home


@pytest.fixture
def journal(home):
    writer = SpoolWriter(home.spool)
    yield writer
    writer.close()


@pytest.fixture
def config(database: Database) -> Config:
    return Config(database=DatabaseConfig(url=database.url))


@pytest.fixture
def storage(config, home):
    found = DatabaseStorage(config, home)
    yield found
    found.close()
