"""The hourly work, and the settings of a proxy that has started."""

import json
import time

from llmproxy_core.config import Config, without_secrets
from llmproxy_core.store import audit, partitions
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.writer import Writer
from llmproxy_core.worker.housekeeping import Housekeeping
from tests.store.flows import an_event
from tests.store.test_retention import HOT, conversation
from tests.worker.processes import wait_for


def started(settings, home="/home/one"):
    data = {"settings": json.dumps(settings), "home": home, "pid": 1}
    return Batch(events=[an_event(kind="proxy_started", data=data)])


def events(database, action):
    with database.raw() as connection:
        return [event for _, event in audit.newest(connection, action=action)]


def test_it_makes_weeks_and_removes_what_is_due(database):
    with database.raw() as connection:
        for table in HOT:  # so that the weeks of old calls are made, too
            connection.execute(f"DROP TABLE {table}_before")
    writer = Writer(database)
    conversation(writer, weeks=-5)
    kept = conversation(writer)
    with database.raw() as connection:
        connection.execute(f"DROP TABLE requests_w{partitions.epoch_now() + 2}")
    housekeeping = Housekeeping(days=14, first=0.0)
    assert not housekeeping.look(database)
    wait_for(lambda: not housekeeping._is_busy(), "it has not ended")
    with database.raw() as connection:
        connection.execute(f"SELECT 1 FROM requests_w{partitions.epoch_now() + 2}")
        (count,) = connection.execute("SELECT count(*) FROM requests").fetchone()
    assert count == len(kept)
    assert housekeeping.look(database)
    assert not housekeeping.look(database)
    housekeeping.stop()
    writer.close()


def test_it_is_not_done_again_before_the_hour(database):
    housekeeping = Housekeeping(days=0, first=0.0)
    housekeeping.look(database)
    wait_for(lambda: not housekeeping._is_busy(), "it has not ended")
    thread = housekeeping._thread
    housekeeping.look(database)
    assert housekeeping._thread is thread
    housekeeping.stop()


def test_it_is_stopped_in_the_midst(database):
    housekeeping = Housekeeping(days=0, first=0.0)
    with database.raw() as other:
        other.execute("SELECT pg_advisory_xact_lock(x'6c6c6d03'::bigint)")
        housekeeping.look(database)
        time.sleep(0.3)
        assert housekeeping._is_busy()
        housekeeping.stop()
        assert not housekeeping._is_busy()


def test_a_database_that_is_away_only_puts_it_off(database, caplog):
    housekeeping = Housekeeping(days=0, first=0.0)
    with database.raw() as connection:
        connection.execute("DROP FUNCTION llmproxy_make_weeks")
    housekeeping.look(database)
    wait_for(lambda: not housekeeping._is_busy(), "it has not ended")
    assert "housekeeping is put off" in caplog.text


def test_a_change_of_the_settings_is_written_to_the_audit(database):
    writer = Writer(database)
    config = Config()
    settings = without_secrets(config)
    writer.write(started(settings))
    writer.write(started(settings))
    writer.write(started(settings, home="/home/two"))
    assert [event.target for event in events(database, "configuration")] == [
        "/home/two",
        "/home/one",
    ]
    changed = settings | {"spool": settings["spool"] | {"fsync": "never"}}
    writer.write(started(changed))
    writer.close()
    latest = events(database, "configuration")[0]
    assert json.loads(latest.detail)["changed"] == {"spool.fsync": ["interval", "never"]}


def test_passwords_are_not_in_it():
    config = Config.model_validate(
        {"proxy": {"auth": "me:hunter2"}, "database": {"url": "postgresql://me:hunter2@host/db"}}
    )
    assert "hunter2" not in json.dumps(without_secrets(config))
