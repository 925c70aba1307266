import ast
import re
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import llmproxy_core
from llmproxy_core.errors import SchemaError
from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.database import Database
from llmproxy_core.store.schema import METADATA
from tests.postgres import drop_database, new_database, opened

PARTITION = re.compile(r".*_(before|w\d+)")
VERSIONS = sorted((migrate.folder() / "versions").glob("*.py"))


@pytest.fixture
def empty(postgres_home: Home):
    name = new_database(postgres_home, "template1")
    with opened(postgres_home, name) as database:
        yield database
    drop_database(postgres_home, name)


def _is_no_partition(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or not PARTITION.fullmatch(name or "")


def test_migrations_and_tables_agree(database: Database) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": migrate.VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
                "include_name": _is_no_partition,
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_what_alembic_does_not_compare_is_as_meant(database: Database) -> None:
    with database.connect() as connection:
        unlogged = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'")
        )
        external = connection.scalars(
            text(
                "SELECT attrelid::regclass::text FROM pg_attribute WHERE attstorage = 'e'"
                " AND attrelid::regclass::text IN ('requests', 'responses') AND attname = 'body'"
            )
        )
        assert unlogged.all() == ["stream_deltas"]
        assert sorted(external) == ["requests", "responses"]


def test_every_key_begins_with_the_namespace(database: Database) -> None:
    with database.connect() as connection:
        keys = connection.execute(
            text(
                "SELECT c.relname, a.attname FROM pg_index i"
                " JOIN pg_class c ON c.oid = i.indrelid"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
                " WHERE c.relnamespace = 'public'::regnamespace"
            )
        )
        others = {tuple(key) for key in keys if key.attname != "ns_id"}
    assert others == {
        ("namespaces", "name"),
        ("namespaces", "prefix"),
        ("security_policies", "name"),
        ("spool_offsets", "writer"),
        ("transformations", "name"),
        (migrate.VERSION_TABLE, "version_num"),
    }


def test_there_are_no_sequences_and_no_triggers_but_those_of_the_audit(database: Database) -> None:
    with database.connect() as connection:
        sequences = connection.scalars(text("SELECT relname FROM pg_class WHERE relkind = 'S'"))
        triggers = connection.scalars(
            text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        )
        assert (sequences.all(), set(triggers)) == ([], {"audit_events", "audit_heads"})


@pytest.mark.parametrize("file", VERSIONS, ids=lambda file: file.name)
def test_a_migration_is_named_by_number_and_purpose(file: Path) -> None:
    number = VERSIONS.index(file) + 1
    assert re.fullmatch(rf"{number:04}_[a-z0-9_]+\.py", file.name)
    tree = ast.parse(file.read_text())
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("revision", "down_revision")
    }
    before = f"{number - 1:04}" if number > 1 else None
    assert values == {"revision": f"{number:04}", "down_revision": before}
    assert ast.get_docstring(tree)


def test_an_empty_database_is_brought_up_once(empty: Database) -> None:
    assert migrate.status(empty).state == "empty"
    with pytest.raises(SchemaError, match="llmproxy db upgrade"):
        migrate.require_current(empty)
    first = migrate.upgrade(empty)
    assert (first.state, first.current) == ("current", migrate.revisions()[-1])
    assert migrate.upgrade(empty) == first
    migrate.require_current(empty)


def test_several_processes_may_upgrade_at_once(empty: Database) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            migrate.upgrade(empty)
        except Exception as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migrate.status(empty).state == "current"


def test_a_newer_database_is_left_alone(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
        connection.commit()
    assert migrate.status(database).state == "newer"
    with pytest.raises(SchemaError, match="Update llmproxy"):
        migrate.upgrade(database)
    with pytest.raises(SchemaError, match="Update llmproxy"):
        migrate.require_current(database)


def test_a_failed_migration_leaves_nothing_behind(empty: Database) -> None:
    with empty.connect() as connection:
        connection.execute(text("CREATE TABLE requests (other int)"))
        connection.commit()
    with pytest.raises(SchemaError, match="already exists"):
        migrate.upgrade(empty)
    with empty.connect() as connection:
        assert not connection.execute(text("SELECT to_regclass('sessions')")).scalar_one()
    assert migrate.status(empty).state == "empty"


def test_a_migration_does_not_wait_for_ever(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_WAIT", 0.1)
    with empty.raw() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrate.LOCK])
        with pytest.raises(SchemaError, match="Another process"):
            migrate.upgrade(empty)


def test_the_migrations_of_an_installed_package_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "llmproxy_core"
    (package / "_migrations").mkdir(parents=True)
    monkeypatch.setattr(llmproxy_core, "__file__", str(package / "__init__.py"))
    assert migrate.folder() == package / "_migrations"
