"""The commands for retention, stars, roles and the audit, on a store of their own."""

import json
import re

import pytest

from llmproxy_core.store import policies
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, a_session, new_id
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system


@pytest.fixture
def llmproxy(tmp_path, database):
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def session(database):
    id = new_id()
    writer = Writer(database)
    writer.write(Batch(requests=[a_request(session_id=id)], sessions=[a_session(id=id)]))
    writer.close()
    return id


def test_the_retention_of_a_namespace_is_set_and_shown(llmproxy):
    assert "default          for ever (retention.days)" in llmproxy("db", "retention").stdout
    assert "default          90 days\n" in llmproxy("db", "retention", "90").stdout
    assert "default          for ever\n" in llmproxy("db", "retention", "forever").stdout
    assert "(retention.days)" in llmproxy("db", "retention", "default").stdout
    refused = llmproxy("db", "retention", "90", "--ns", "nowhere")
    assert (refused.returncode, "no namespace 'nowhere'" in refused.stderr) == (1, True)
    assert llmproxy("db", "retention", "-3").returncode == 2
    assert llmproxy("db", "retention", "soon").returncode == 2


def test_a_session_is_starred_by_its_id_or_that_of_a_call(llmproxy, session):
    assert "starred\n" in llmproxy("star", str(session)).stdout
    assert "already" in llmproxy("star", session.hex[-8:]).stdout
    assert "not starred" in llmproxy("unstar", "abc").stdout
    unknown = llmproxy("star", "nothing")
    assert (unknown.returncode, "no session" in unknown.stderr) == (4, True)
    flow = json.loads(llmproxy("flows", "--json").stdout.splitlines()[0])["id"]
    assert str(session) in llmproxy("star", flow).stdout


def test_the_audit_is_listed_and_verified(llmproxy, database):
    llmproxy("db", "retention", "90")
    llmproxy("db", "retention", "30")
    assert re.search(r"default 2  \S+: retention default  .*30", llmproxy("audit").stdout)
    (event,) = json.loads(llmproxy("audit", "list", "--json", "-n", "1").stdout)
    assert (event["seq"], event["detail"]) == (2, '{"days":30}')
    verified = llmproxy("audit", "verify")
    noted = verified.stdout.split()[-1]
    assert "2 events in order" in verified.stdout
    assert llmproxy("audit", "verify", "--ns", "default", "--noted", noted).returncode == 0
    with database.raw() as connection:
        connection.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
        connection.execute("UPDATE audit_events SET actor = 'me' WHERE seq = 1")
    broken = llmproxy("audit", "verify")
    assert (broken.returncode, "BROKEN at event 1" in broken.stdout) == (1, True)
    assert json.loads(llmproxy("audit", "verify", "--json").stdout)[0]["broken_at"] == 1
    forged = llmproxy("audit", "verify", "--ns", "default", "--noted", "2:00")
    assert (forged.returncode, "cut off" in forged.stderr) == (1, True)
    assert llmproxy("audit", "verify", "--noted", "2:00").returncode == 2
    assert llmproxy("audit", "verify", "--ns", "nowhere").returncode == 1


def test_a_login_is_let_into_a_namespace_and_out(llmproxy, database):
    with database.raw() as connection:
        connection.execute("CREATE ROLE cli_reader LOGIN")
    try:
        assert "may read default" in llmproxy("db", "grant", "cli_reader", "--ns", "default").stdout
        assert "cli_reader       reads default" in llmproxy("db", "roles").stdout
        url = database.url.replace("user=llmproxy", "user=cli_reader")
        reader = Command(llmproxy.home, {"LLMPROXY_DATABASE_URL": url})
        assert reader("flows").returncode == 0
        assert "default" in reader("audit").stdout
        refused = reader("db", "grant", "cli_reader", "--ns", "default")
        assert (refused.returncode, "may not do that" in refused.stderr) == (1, True)
        assert reader("db", "status").returncode == 0
        assert "may no longer" in llmproxy("db", "revoke", "cli_reader", "--ns", "default").stdout
        assert "could not" in llmproxy("db", "revoke", "cli_reader", "--ns", "default").stdout
        assert reader("audit").stdout == ""
    finally:
        with database.raw() as connection:
            connection.execute("DROP OWNED BY cli_reader; DROP ROLE cli_reader")


def test_the_status_tells_what_is_kept(llmproxy, database):
    shown = llmproxy("db", "status").stdout
    assert "kept         default for ever" in shown
    assert "dropped      nothing yet" in shown
    found = json.loads(llmproxy("db", "status", "--json").stdout)
    assert found["weeks"] == 4
    assert found["bytes"] > 0


def test_missing_roles_are_told_with_what_to_run():
    found = policies.Roles(["llmproxy_reader"], [])
    assert found.sql == "CREATE ROLE llmproxy_reader NOLOGIN;"
