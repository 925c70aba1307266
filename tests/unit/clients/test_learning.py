from pathlib import Path

import pytest

from llmproxy_core.clients.learning import learning_check
from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.sections.learning import LearningConfig
from llmproxy_core.sections.tables import DatabaseConfig
from llmproxy_core.store import enhancement_changes, transformation_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.transformations import checked
from llmproxy_core.store.writer import Writer
from tests.postgres import database, postgres_home
from tests.store.lessons import a_pattern, an_enhancement

__all__ = ["database", "postgres_home"]


@pytest.fixture
def settings(database: Database) -> Config:
    return Config(database=DatabaseConfig(url=database.url))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_it_tells_what_waits_for_a_person(settings: Config, home: Home, database: Database) -> None:
    assert learning_check(settings, home).what == "0 patterns"
    pattern = a_pattern()
    writer = Writer(database)
    writer.write(Batch(lessons=Lessons(patterns=[pattern])))
    writer.close()
    with database.raw() as connection:
        enhancement_changes.add(connection, 1, an_enhancement(pattern.id))
    check = learning_check(settings, home)
    assert (check.state, check.what) == ("ok", "1 pattern; 1 suggestion for a person to decide")


def test_it_warns_of_a_rule_that_cannot_be_done(
    settings: Config, home: Home, database: Database
) -> None:
    brief = {"name": "brief", "logic": [{"op": "append_system", "text": "Be brief."}]}
    with database.raw() as connection:
        transformation_changes.add(connection, checked(brief), "ann")
        connection.execute("UPDATE transformations SET expression = '=='")
    check = learning_check(settings, home)
    assert (check.state, "brief" in check.what) == ("warn", True)


def test_it_warns_of_an_advisor_that_is_off(home: Home) -> None:
    settings = Config(learning=LearningConfig(suggest="advisor"))
    assert learning_check(settings, home).state == "warn"


def test_of_a_database_that_is_away_it_says_nothing(home: Home) -> None:
    settings = Config(database=DatabaseConfig(url="postgresql://127.0.0.1:1/none"))
    assert learning_check(settings, home).state == "ok"
