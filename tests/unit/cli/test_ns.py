"""`ns` on a real database: rules, names, whose a call would be, and how it would be sent."""

import json
from typing import Any

import pytest

from llmproxy_core.store import namespace_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.namespaces import Rule
from llmproxy_core.store.writer import Writer
from llmproxy_core.tui.figures import NONE
from tests.store.flows import a_request, a_session, whole
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system

LONG = "a_tool_with_a_name_that_is_longer_than_any_provider_would_take"
ASKED = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Why?"}],
    "tools": [{"type": "function", "function": {"name": name}} for name in ("search", LONG)],
}
FILE = """
[[namespaces]]
name = "written"
prefix = "w__"
match = { model = "gpt-*" }
"""


@pytest.fixture
def llmproxy(tmp_path, database):
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def payments(database):
    rule = Rule("payments", "pay__", {"header": {"x-team": ["payments"]}})
    with database.raw() as connection:
        namespace_changes.add(connection, rule, "anna")


@pytest.fixture
def writer(database):
    writer = Writer(database)
    yield writer
    writer.close()


def listed(llmproxy) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(llmproxy("ns", "list", "--json").stdout)}


def test_a_rule_is_told_in_words_when_it_is_added(llmproxy):
    done = llmproxy("ns", "add", "payments", "--prefix", "pay__", "--header", "x-team=payments")
    assert done.stdout == (
        "payments, prefix pay__: header x-team = payments\n"
        "No worker runs in this home: its proxies know it as soon as one does.\n"
    )


def test_texts_have_the_prefix_where_it_is_asked_for(llmproxy):
    llmproxy("ns", "add", "payments", "--prefix", "pay__", "--model", "gpt-*", "--plain-text")
    llmproxy("ns", "set", "payments", "--prefix", "p__")
    told = listed(llmproxy)["payments"]
    assert (told["rule"], told["plain_text"]) == ("model = gpt-*; names in texts, too", True)
    llmproxy("ns", "set", "payments", "--no-plain-text")
    assert not listed(llmproxy)["payments"]["plain_text"]


def test_a_rule_says_what_is_kept_of_its_calls(llmproxy):
    told = llmproxy("ns", "add", "law", "--model", "gpt-*", "--capture", "metadata").stdout
    assert told.startswith("law: model = gpt-*; no text is kept\n")
    llmproxy("ns", "set", "law", "--capture", "off")
    found = listed(llmproxy)["law"]
    assert (found["rule"], found["capture"]) == ("model = gpt-*; no call is kept", "off")
    llmproxy("ns", "set", "law", "--capture", "full")
    assert listed(llmproxy)["law"]["capture"] == "full"
    assert llmproxy("ns", "set", "law", "--capture", "some").returncode == 2


def test_namespaces_are_listed_as_they_are_tried(llmproxy, payments, writer):
    request = a_request(ns_id=writer.namespace("payments"))
    writer.write(whole(request))
    writer.write(Batch(sessions=[a_session(ns_id=request.ns_id, requests=1)]))
    llmproxy("ns", "add", "ci", "--user", "ci-*", "--only", "ci-*", "--before", "payments")
    heading, *lines = llmproxy("ns", "list").stdout.splitlines()
    assert heading.split() == ["name", "prefix", "calls", "last", "call", "rule", "from", "rule"]
    assert [line.split()[:3] for line in lines] == [
        ["ci", NONE, "0"],
        ["payments", "pay__", "1"],
        ["default", NONE, "0"],
    ]
    assert lines[0].endswith("database   user = ci-*; reserved for ci-*")


def test_what_is_set_replaces_what_was_and_the_rest_stays(llmproxy, payments):
    llmproxy("ns", "set", "payments", "--prefix", "p_", "--model", "gpt-*", "--reserved")
    row = listed(llmproxy)["payments"]
    assert (row["prefix"], row["reserved"]) == ("p_", ["*"])
    assert row["match"] == {"header": {"x-team": ["payments"]}, "model": ["gpt-*"]}
    llmproxy("ns", "set", "payments", "--prefix", "", "--everybody", "--no-match", "--user", "a")
    row = listed(llmproxy)["payments"]
    assert (row["prefix"], row["reserved"], row["match"]) == ("", [], {"proxy_user": ["a"]})


def test_a_rule_is_removed_and_its_namespace_stays(llmproxy, payments):
    assert llmproxy("ns", "remove", "payments").returncode == 0
    assert listed(llmproxy)["payments"]["source"] is None
    again = llmproxy("ns", "remove", "payments")
    assert again.returncode == 1
    assert "payments has no rule" in again.stderr


def test_every_change_is_in_the_audit_with_who_made_it(llmproxy, payments):
    llmproxy("ns", "set", "payments", "--prefix", "p_")
    llmproxy("ns", "rename", "payments", "treasury")
    llmproxy("ns", "remove", "treasury")
    told = json.loads(llmproxy("audit", "list", "--json").stdout)
    assert [event["action"] for event in told] == [
        "namespace add",
        "namespace change",
        "namespace rename",
        "namespace remove",
    ]
    assert all(event["actor"] for event in told)
    assert llmproxy("audit", "verify").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "a b"], "NAME 'a b': allowed is letters, digits"),
        (["add", "new", "--prefix", "1x"], "--prefix '1x': allowed is letters, digits"),
        (["add", "new", "--prefix", "pay__"], "'pay__' is the prefix of payments"),
        (["add", "payments"], "payments has a rule already, in the database"),
        (["add", "new", "--client", "10.0.0.1/8"], "--client '10.0.0.1/8': allowed is a network"),
        (["add", "new", "--header", "x-team"], "write NAME=VALUE"),
        (["add", "new", "--header", "authorization=x"], "a header that holds no credential"),
        (["add", "new", "--reserved", "--only", "anna"], "give one of them"),
        (["add", "default", "--reserved"], "it cannot be reserved"),
        (["add", "new", "--before", "nobody"], "'nobody' has no rule in the database"),
        (["set", "nobody", "--prefix", "x_"], "There is no namespace 'nobody'"),
        (["rename", "payments", "a b"], "NAME 'a b'"),
        (["rename", "default", "mine"], "it keeps its name"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(llmproxy, payments, arguments, said):
    done = llmproxy("ns", *arguments)
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.split())


def test_a_key_in_place_of_its_fingerprint_is_not_repeated(llmproxy):
    done = llmproxy("ns", "add", "new", "--key", "sk-secret")
    assert done.returncode == 2
    assert "never the key itself" in done.stderr
    assert "sk-secret" not in done.stderr


def test_what_mitm_toml_says_comes_first(llmproxy, tmp_path, payments):
    (tmp_path / "mitm.toml").write_text(FILE)
    for arguments in (["add", "written"], ["set", "written"], ["remove", "written"]):
        done = llmproxy("ns", *arguments)
        assert done.returncode == 2
        assert "mitm.toml has" in done.stderr
    done = llmproxy("ns", "set", "payments", "--prefix", "w__")
    assert "is that of written in" in done.stderr
    assert "has rules for written, too" in llmproxy("ns", "list").stderr


def test_a_rule_that_no_call_can_meet_is_told(llmproxy):
    assert "no call will be in new" in llmproxy("ns", "add", "new").stderr
    done = llmproxy("ns", "set", "new", "--user", "anna", "--reserved")
    assert "proxy.auth is not set" in done.stderr


def test_who_says_why_not_the_ones_before(llmproxy, payments):
    llmproxy("ns", "add", "ci", "--user", "ci-*", "--before", "payments")
    done = llmproxy("ns", "who", "--user", "anna", "--header", "X-Team=payments")
    assert done.stdout.splitlines() == [
        "ci        proxy_user is anna, not ci-*",
        "payments  takes it, prefix pay__",
        "default   payments comes before",
    ]
    assert "do not know all rules" in done.stderr  # no worker runs
    told = json.loads(llmproxy("ns", "who", "--model", "o3", "--json").stdout)
    assert [(one["name"], one["takes"]) for one in told][-1] == ("default", True)


def test_a_body_is_tried_and_comes_back(llmproxy, tmp_path, payments):
    (tmp_path / "body.json").write_text(json.dumps(ASKED))
    done = llmproxy("ns", "test", "body.json", "--wire", "openai.chat", "--ns", "payments")
    assert done.returncode == 0, done.stderr
    place, search, long, back, sums = done.stdout.splitlines()
    assert place == "body.json · payments · prefix pay__ · openai.chat"
    assert search.split() == ["search", "→", "pay__search"]
    assert long.split()[2].startswith("pay__a_tool_with_a_name_that_is")
    assert len(long.split()[2]) == 64
    assert "comes back byte for byte: request" in back
    assert sums == "1 call: 1 with a prefix, 0 would not come back"


def test_a_call_of_no_namespace_stays_as_it_is(llmproxy, tmp_path, payments):
    (tmp_path / "body.json").write_text(json.dumps(ASKED))
    done = llmproxy("ns", "test", "body.json", "--wire", "openai.chat")
    assert done.stdout.splitlines()[0] == "body.json · default · no prefix · openai.chat"
    named = llmproxy(
        "ns", "test", "body.json", "--wire", "openai.chat", "--header", "x-team=payments"
    )
    assert named.stdout.startswith("body.json · payments · prefix pay__")


def test_what_was_exported_is_tried_and_had_back(llmproxy, tmp_path, payments, writer):
    """Also a call that was stored with a prefix: the client's side of it is tried."""
    called = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [called]}
    answer = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    kind = [("content-type", "application/json")]
    for prefix in ("", "old__"):
        asked = json.dumps(ASKED | {"tools": ASKED["tools"][:1]}).replace(
            '"search"', f'"{prefix}search"'
        )
        request = a_request(
            body=asked.encode(), headers=kind, namespace_prefix=prefix or None, rereadable=True
        )
        told = answer.replace(b'"search"', f'"{prefix}search"'.encode())
        writer.write(whole(request, body=told, headers=kind, rereadable=True))
    llmproxy("export", "--bodies", "-o", "calls.jsonl")
    done = llmproxy("ns", "test", "calls.jsonl", "--ns", "payments", "--json")
    tried = json.loads(done.stdout)
    assert [one["names"] for one in tried] == [[{"client": "search", "sent": "pay__search"}]] * 2
    assert {one["answer_bytes"] for one in tried} == {len(answer)}
    assert [one["lost"] for one in tried] == [[], []]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["body.json"], "say of which format: --wire"),
        (["body.json", "--wire", "nope"], "--wire nope: known are"),
        (["body.json", "--wire", "openai.chat", "--ns", "nope"], "--ns nope: it has no rule"),
        (["missing.json"], "missing.json: No such file"),
    ],
)
def test_a_file_that_cannot_be_tried_is_said_why(llmproxy, tmp_path, arguments, said):
    (tmp_path / "body.json").write_text(json.dumps(ASKED, indent=1))
    done = llmproxy("ns", "test", *arguments)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_websocket_that_was_stored_with_a_prefix_is_tried_without(
    llmproxy, tmp_path, payments, writer
):
    def lines(side, said):
        frame = {"from": side, "type": "text", "at": 1, "data": json.dumps(said)}
        return json.dumps(frame).encode()

    tool = {"type": "function", "name": "old__search"}
    item = {"type": "function_call", "name": "old__search", "call_id": "c", "arguments": "{}"}
    request = a_request(
        wire="openai.responses.websocket", method="GET", path="/v1/responses", headers=[],
        body=lines("client", {"type": "response.create", "model": "gpt-5", "tools": [tool]}),
        namespace_prefix="old__", rereadable=True,
    )  # fmt: skip
    told = lines("server", {"type": "response.output_item.done", "item": item})
    writer.write(whole(request, body=told, status=101, rereadable=True))
    llmproxy("export", "--bodies", "-o", "calls.jsonl")
    done = llmproxy("ns", "test", "calls.jsonl", "--ns", "payments", "--json")
    (tried,) = json.loads(done.stdout)
    assert tried["names"] == [{"client": "search", "sent": "pay__search"}]
    assert (tried["lost"], done.returncode) == ([], 0)
