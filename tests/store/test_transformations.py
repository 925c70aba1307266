import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from llmproxy_core.config import TransformationConfig
from llmproxy_core.errors import ConfigError, StoreError
from llmproxy_core.store import audit, file_transformations, transformation_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.transformations import checked, find, fitting, handed, transformations
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request
from tests.store.lessons import a_change

HERE, THERE = "host:/home", "other:/home"
SHORT = checked(
    {
        "name": "short",
        "when": 'pattern.name == "triage"',
        "logic": [{"op": "clamp", "parameter": "max_tokens", "max": 1000}],
        "order": 5,
    }
)
BRIEF = checked({"name": "brief", "logic": [{"op": "append_system", "text": "Be brief."}]})

type Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


def told(connection: Connection) -> list[tuple[str, str, str]]:
    return [(one.actor, one.action, one.target) for _, one in audit.newest(connection)]


def off(one: TransformationConfig) -> TransformationConfig:
    return one.model_copy(update={"active": False})


def test_a_transformation_comes_back_as_it_was_written(connection: Connection) -> None:
    for one in (SHORT, BRIEF):
        transformation_changes.add(connection, one, "ann")
    found = transformations(connection)
    assert [one.name for one in found] == ["brief", "short"]
    assert fitting(found) == ([BRIEF, SHORT], [])
    assert (found[1].created_by, found[1].usage_count, found[1].last_used) == ("ann", 0, None)
    assert told(connection)[0] == ("ann", "transformation add", "brief")


def test_proxies_are_told_of_those_that_are_on(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    transformation_changes.add(connection, off(BRIEF), "ann")
    file_transformations.bring(connection, HERE, [BRIEF.model_copy(update={"name": "filed"})])
    tables, problems = handed(connection)
    assert ([one["name"] for one in tables], problems) == (["short"], [])
    assert checked(tables[0]) == SHORT


def test_what_cannot_be_done_anywhere_is_refused() -> None:
    nowhere = {"name": "x", "when": 'wire == "openai.chat"'}
    with pytest.raises(ConfigError, match="can be done in no request"):
        checked(nowhere | {"logic": [{"op": "cache_breakpoint", "at": "system"}]})


def test_a_row_that_somebody_else_wrote_is_left_out_and_told(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    connection.execute("UPDATE transformations SET expression = 'nonsense =='")
    tables, (problem,) = handed(connection)
    assert tables == []
    assert "llmproxy transform set" in problem


def test_two_cannot_have_one_name(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    with pytest.raises(StoreError, match="in the database"):
        transformation_changes.add(connection, SHORT, "ann")


def test_a_change_is_told_with_what_was_before(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    changed = SHORT.model_copy(update={"order": 7})
    transformation_changes.change(connection, changed, "bert")
    detail = json.loads(audit.newest(connection)[0][1].detail)
    assert (detail["before"]["order"], detail["now"]["order"]) == (5, 7)


def test_one_is_switched_once(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    assert transformation_changes.set_active(connection, "short", "bert", active=False)
    assert not transformation_changes.set_active(connection, "short", "bert", active=False)
    assert told(connection)[0] == ("bert", "transformation off", "short")
    assert len(told(connection)) == 2


def test_what_is_gone_can_be_added_again(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    transformation_changes.remove(connection, "short", "ann")
    assert find(connection, "short") is None
    transformation_changes.add(connection, SHORT, "ann")
    with pytest.raises(StoreError, match="no transformation 'other'"):
        transformation_changes.remove(connection, "other", "ann")


def test_those_of_a_file_are_shown_and_go_with_it(connection: Connection) -> None:
    assert file_transformations.bring(connection, HERE, [SHORT, BRIEF]) == []
    assert file_transformations.bring(connection, THERE, [SHORT]) == []
    number = len(told(connection))
    file_transformations.bring(connection, HERE, [SHORT, BRIEF])
    assert len(told(connection)) == number
    with pytest.raises(StoreError, match=r"mitm\.toml of host:/home"):
        transformation_changes.remove(connection, "short", "ann")
    file_transformations.bring(connection, HERE, [SHORT])
    assert [one.name for one in transformations(connection)] == ["short"]


def test_the_file_comes_before_the_table(connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    (clash,) = file_transformations.bring(connection, HERE, [SHORT])
    assert clash.event().data == {"transformation": "short"}
    assert "made way" in str(clash)
    assert told(connection)[0] == ("worker", "transformation of mitm.toml", "short")


def test_how_often_one_was_done_is_counted_once(database: Database, connection: Connection) -> None:
    transformation_changes.add(connection, SHORT, "ann")
    requests = [a_request() for _ in range(3)]
    rows = [a_change(request, "short") for request in requests[:2]]
    rows.append(a_change(requests[2], "short", why="signed"))
    writer = Writer(database)
    for _ in range(2):
        writer.write(Batch(lessons=Lessons(applied=rows)))
    writer.close()
    found = find(connection, "short")
    assert found is not None
    assert found.usage_count == 2
    assert found.last_used is not None
