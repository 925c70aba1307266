import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.clients.endpoint import Endpoint
from llmproxy_core.clients.environment import java_variables, script, variables

PROXY = Endpoint("127.0.0.1", 8080, Path("/confdir"))
ODD = 'it\'s a "path" with $HOME `id` \\ and ünï'


def test_every_variable_names_the_proxy_or_the_bundle():
    wanted = variables(PROXY, Path("/b.pem"), {})
    assert wanted["HTTPS_PROXY"] == wanted["http_proxy"] == "http://127.0.0.1:8080"
    assert wanted["SSL_CERT_FILE"] == wanted["NODE_EXTRA_CA_CERTS"] == "/b.pem"


def test_no_proxy_of_the_user_is_kept_in_both_spellings():
    wanted = variables(PROXY, Path("/b.pem"), {"no_proxy": "intranet"})
    assert wanted["NO_PROXY"] == "intranet"
    assert "no_proxy" not in wanted


def test_local_model_servers_are_not_left_out():
    assert "NO_PROXY" not in variables(PROXY, Path("/b.pem"), {})


def test_java_keeps_the_options_it_had():
    found = java_variables(PROXY, Path("/t.p12"), {"JAVA_TOOL_OPTIONS": "-Xmx1g"})
    assert found["JAVA_TOOL_OPTIONS"].startswith("-Xmx1g -Djavax.net.ssl.trustStore=/t.p12 ")


def test_sh_reads_back_what_was_written():
    text = script({"LLMPROXY_TEST": ODD}, "sh") + 'printf %s "$LLMPROXY_TEST"'
    assert subprocess.run(["sh", "-c", text], capture_output=True).stdout.decode() == ODD


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_reads_back_what_was_written():
    text = script({"LLMPROXY_TEST": ODD}, "fish") + "printf %s $LLMPROXY_TEST"
    assert subprocess.run(["fish", "-c", text], capture_output=True).stdout.decode() == ODD


def test_fish_and_powershell_quote_in_their_own_ways():
    assert script({"A": "it's"}, "fish") == "set -gx A 'it\\'s';\n"
    assert script({"A": "it's"}, "powershell") == "$env:A = 'it''s'\n"


def test_what_powershell_takes_for_a_quote_or_an_end_cannot_leave_the_string():
    assert script({"A": "it\u2019s"}, "powershell") == "$env:A = 'it\u2019\u2019s'\n"
    assert script({"A": "a\nb"}, "powershell") == "$env:A = 'a'+[char]10+'b'\n"


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_sh_never_runs_what_is_in_a_value(value):
    text = script({"LLMPROXY_TEST": value}, "sh") + 'printf "%s" "$LLMPROXY_TEST"'
    done = subprocess.run(["sh", "-c", text], capture_output=True)
    assert done.stdout == value.encode()
