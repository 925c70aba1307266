"""`flows`, `show` and `db` on a real database."""

import gzip
import json
import signal
import threading
from decimal import Decimal

import pytest

from llmproxy_core.store.batch import Batch
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_call, a_request, a_response, a_session, new_id, whole
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system

BODY = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "Why?"}]}'


@pytest.fixture
def llmproxy(tmp_path, database):
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def writer(database):
    writer = Writer(database)
    writer.write(Batch(sessions=[a_session()]))
    yield writer
    writer.close()


def test_flows_are_listed_the_newest_last(llmproxy, writer):
    first, second = a_request(model="one"), a_request(model="two")
    writer.write(whole(first, model="one"))
    writer.write(whole(second, model="two", text="It is \x1b[31mred\x1b[0m."))
    done = llmproxy("flows")
    heading, *lines = done.stdout.splitlines()
    assert heading.split()[:3] == ["id", "time", "status"]
    assert [line.split()[0] for line in lines] == [first.id.hex[-8:], second.id.hex[-8:]]
    assert "It is red." in lines[1]


def test_flows_as_json_lines_can_be_filtered(llmproxy, writer):
    writer.write(whole(a_request(), cost_usd=Decimal("0.5"), model="dear"))
    writer.write(whole(a_request(), cost_usd=Decimal("0.01"), model="cheap"))
    done = llmproxy("flows", "--json", "--filter", "cost:>0.1")
    assert [json.loads(line)["model"] for line in done.stdout.splitlines()] == ["dear"]


def test_a_wrong_filter_is_named(llmproxy):
    done = llmproxy("flows", "-f", "cost:much")
    assert done.returncode == 1
    assert "cost:much" in done.stderr


def test_follow_tells_each_flow_once_when_it_ends(llmproxy, writer):
    running = a_request(model="running")
    writer.write(Batch(requests=[running]))
    process = llmproxy.start("flows", "--follow", "--limit", "0", "--json")
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))
    reader.start()
    try:
        _until_listening(writer, lines)
        writer.write(Batch(responses=[a_response(running, model="running")]))
        opened = a_request(model="later")
        writer.write(Batch(requests=[opened]))
        writer.write(Batch(responses=[a_response(opened, model="later")]))
        _until(lambda: any('"later"' in line for line in lines))
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        reader.join(60)
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
    models = [json.loads(line)["model"] for line in lines]
    assert [m for m in models if m != "probe"] == ["running", "later"]
    assert (code, errors) == (130, "")


def _until_listening(writer, lines):
    """Write probes until one is told: then it listens."""

    def heard():
        writer.write(whole(a_request(), model="probe"))
        return lines

    _until(heard)


def _until(condition, seconds=60.0):
    waiter = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if condition():
            return
        waiter.wait(0.1)
    raise AssertionError("nothing came")


def test_show_describes_a_flow_found_by_the_end_of_its_id(llmproxy, writer):
    request = a_request(body=BODY, body_bytes=len(BODY))
    batch = whole(request, text="Because.", cost_usd=Decimal("0.5"))
    batch.tool_calls.append(a_call(request))
    writer.write(batch)
    shown = llmproxy("show", request.id.hex[-8:]).stdout
    assert str(request.id) in shown
    assert "--- user\nWhy?" in shown
    assert "Because." in shown
    assert '[tool call] search({"q": 1})' in shown


def test_show_tells_by_whose_login_and_key_a_call_was_made(llmproxy, writer):
    request = a_request(proxy_user="anna", credential="fp_0123456789ab")
    writer.write(whole(request))

    shown = llmproxy("show", str(request.id)).stdout.splitlines()
    assert "user      anna" in shown
    assert "key       fp_0123456789ab" in shown


def test_a_call_of_a_format_that_is_not_read_says_so(llmproxy, writer):
    request = a_request(wire="openai.assistants", path="/v1/threads/runs")
    request.preview = ""
    writer.write(whole(request, text="", body=b"frames"))

    assert "POST /v1/threads/runs" in llmproxy("flows").stdout
    shown = llmproxy("show", str(request.id)).stdout
    assert "openai.assistants (stored as it came, not read: --raw shows it)" in shown


def test_show_writes_exactly_the_stored_bytes(llmproxy, writer):
    packed = gzip.compress(b'{"a": 1}')
    request = a_request(body=BODY + b" \r\n")
    encoded = [("Content-Encoding", "gzip")]
    writer.write(whole(request, body=packed, headers=encoded))
    assert _bytes(llmproxy, "show", str(request.id), "--raw", "request") == BODY + b" \r\n"
    assert _bytes(llmproxy, "show", str(request.id), "--raw", "response") == packed
    plain = _bytes(llmproxy, "show", str(request.id), "--raw", "response", "--decoded")
    assert plain == b'{"a": 1}'


def _bytes(llmproxy, *arguments):
    process = llmproxy.start(*arguments)
    try:
        return process.stdout.buffer.read()
    finally:
        process.wait(60)
        process.stdout.close()
        process.stderr.close()


def test_show_as_json_has_everything(llmproxy, writer):
    request = a_request()
    writer.write(whole(request))
    shown = json.loads(llmproxy("show", str(request.id), "--json").stdout)
    assert shown["request"]["headers"][0] == ["Host", "api.openai.com"]
    assert shown["response"]["text"] == "Hi there"


def test_a_body_that_was_not_kept_whole_is_told(llmproxy, writer):
    request = a_request(body_kept="head", body_bytes=1000)
    writer.write(whole(request))
    done = llmproxy("show", str(request.id), "--raw", "request")
    assert "19 of 1000 bytes" in done.stderr


def test_show_of_an_open_flow_has_no_answer_yet(llmproxy, writer):
    request = a_request(body=BODY)
    writer.write(Batch(requests=[request]))
    assert "--- the answer so far" in llmproxy("show", str(request.id)).stdout
    assert llmproxy("show", str(request.id), "--raw", "response").returncode == 4


@pytest.mark.parametrize("flow_id", ["ffffffffffff", "not-hex", ""])
def test_an_id_of_no_flow_is_exit_code_4(llmproxy, flow_id):
    done = llmproxy("show", flow_id)
    assert done.returncode == 4
    assert "there is no flow" in done.stderr


def test_an_id_of_several_flows_lists_them(llmproxy, writer):
    requests = [a_request(id=new_id()) for _ in range(2)]
    writer.write(Batch(requests=requests))
    start = requests[0].id.hex[:6]
    done = llmproxy("show", start)
    assert done.returncode == 4
    assert all(str(request.id) in done.stderr for request in requests)


def test_decoded_alone_is_wrong_use(llmproxy):
    assert llmproxy("show", "abcd", "--decoded").returncode == 2


def test_db_status_tells_whether_the_schema_fits(llmproxy):
    done = llmproxy("db", "status", "--json")
    assert json.loads(done.stdout)["state"] == "current"
    assert done.returncode == 0


def test_an_external_database_is_not_ours_to_stop(llmproxy):
    assert "external" in llmproxy("db", "stop").stdout


def test_a_home_with_nothing_in_it_gets_its_database_by_itself(tmp_path):
    llmproxy = Command(tmp_path)
    try:
        assert llmproxy("db", "status").returncode == 1
        listed = llmproxy("flows")
        assert (listed.returncode, listed.stdout) == (0, "")
        assert "schema" in llmproxy("db", "upgrade").stdout
        assert "host=" in llmproxy("db", "url").stdout
    finally:
        assert llmproxy("db", "stop").returncode == 0


def test_show_has_both_names_of_a_tool(llmproxy, writer):
    ns_id = writer.namespace("payments")
    request = a_request(ns_id=ns_id, namespace_prefix="pay__", left_alone=None)
    writer.write(Batch([request], [a_response(request)], [a_call(request, name="pay__search")]))
    shown = llmproxy("show", str(request.id)).stdout
    assert "space     payments · prefix pay__" in shown
    assert '[tool call] search (sent as pay__search)({"q": 1})' in shown
    [told] = map(json.loads, llmproxy("flows", "--json").stdout.splitlines())
    assert (told["tool_names"], told["client_tool_names"]) == (["pay__search"], ["search"])


def test_show_says_why_names_were_left_alone(llmproxy, writer):
    request = a_request(ns_id=writer.namespace("payments"), left_alone="began_without")
    writer.write(whole(request))
    assert (
        "space     payments · names of tools left alone: its conversation began without the prefix"
        in llmproxy("show", str(request.id)).stdout
    )
