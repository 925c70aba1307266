"""Every command: its help, what it prints, how it fails."""

import json
import os
import re
import subprocess
import sys

import pytest
import typer.main

from llmproxy_core.cli.app import app
from tests.unit.cli.command import ENTRY, Command


@pytest.fixture
def llmproxy(tmp_path):
    return Command(tmp_path)


def all_commands():
    def walk(command, path):
        children = getattr(command, "commands", None)
        if not children:
            yield path
        for name, child in (children or {}).items():
            yield from walk(child, (*path, name))

    return list(walk(typer.main.get_command(app), ()))


@pytest.mark.parametrize("path", all_commands(), ids=" ".join)
def test_every_command_helps_with_an_example(llmproxy, path):
    shown = llmproxy(*path, "--help").stdout
    assert f"Usage: llmproxy {' '.join(path)}" in " ".join(shown.split())
    assert re.search(r"Example:\n\s+\S*.*llmproxy", shown)


def test_help_tells_the_exit_codes(llmproxy):
    assert "3 the proxy is" in llmproxy("--help").stdout


def test_version(llmproxy):
    assert re.fullmatch(r"llmproxy \d+\.\d+\.\d+\n", llmproxy("--version").stdout)


def test_wrong_use_is_exit_code_2(llmproxy):
    assert llmproxy("flows", "--limit", "many").returncode == 2
    assert llmproxy("cert", "--install", "--uninstall").returncode == 2
    assert llmproxy("run").returncode == 2


def test_help_and_env_load_nothing_heavy(llmproxy):
    code = (
        "import sys; from llmproxy_core.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'textual', 'mitmproxy', 'rich.console', 'tornado', 'httpx'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    for argument in ("--help", "env"):
        done = subprocess.run(
            [sys.executable, "-c", code, argument],
            env=llmproxy.variables,
            capture_output=True,
            text=True,
        )
        assert done.stderr.splitlines()[-1] == "[]"


def test_env_prints_nothing_but_the_script(llmproxy):
    done = llmproxy("env")
    assert done.returncode == 0
    assert all(line.startswith("export ") for line in done.stdout.splitlines())
    assert "no proxy runs yet" in done.stderr
    bundle = llmproxy.home / "data" / "ca-bundle.pem"
    assert f"export SSL_CERT_FILE={bundle}" in done.stdout
    assert bundle.is_file()


def test_env_knows_the_shell(llmproxy):
    assert "set -gx HTTPS_PROXY" in llmproxy("env", SHELL="/usr/bin/fish").stdout
    assert "$env:HTTPS_PROXY" in llmproxy("env", "--shell", "powershell").stdout
    assert json.loads(llmproxy("env", "--json").stdout)["NODE_USE_ENV_PROXY"] == "1"


def test_env_for_java_names_a_truststore(llmproxy):
    options = json.loads(llmproxy("env", "--json", "--java").stdout)["JAVA_TOOL_OPTIONS"]
    truststore = re.search(r"trustStore=(\S+)", options)
    assert truststore
    assert os.path.isfile(truststore[1])


def test_run_without_a_proxy_is_exit_code_3(llmproxy):
    done = llmproxy("run", "--", "true")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "llmproxy proxy" in done.stderr


def test_a_wrong_setting_is_one_line(llmproxy):
    (llmproxy.home / "mitm.toml").write_text("[proxy]\nprot = 1\n")
    done = llmproxy("config", "check")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "`proxy.prot`" in done.stderr


def test_config_check_tells_of_a_secret_that_is_not_there(llmproxy, tmp_path):
    file = tmp_path / "mitm.toml"
    file.write_text(
        '[[webhooks]]\nname = "a"\nurl = "https://x.example"\nsecret_env = "LLMPROXY_NONE"\n'
    )
    done = llmproxy("config", "check", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}: in order\n")
    assert "webhook a: $LLMPROXY_NONE is not set here" in done.stderr


def test_config_check_shows_all_but_secrets(llmproxy):
    file = llmproxy.home / "other.toml"
    file.write_text('[proxy]\nport = 9\nauth = "me:hushhush"\n')
    done = llmproxy("config", "check", str(file), "--json")
    assert json.loads(done.stdout)["proxy"]["port"] == 9
    assert "hushhush" not in done.stdout
    assert llmproxy("config", "check", str(file)).stdout == f"{file}: in order\n"


def test_cert_makes_the_ca_and_tells_of_it(llmproxy):
    path = llmproxy("cert", "--path").stdout.strip()
    assert path == str(llmproxy.home / ".mitmproxy" / "mitmproxy-ca-cert.pem")
    assert path in llmproxy("cert").stdout
    assert json.loads(llmproxy("cert", "--json").stdout)["ca"] == path


def test_a_home_that_cannot_be_is_one_line(llmproxy):
    (llmproxy.home / "file").write_text("")
    done = llmproxy("env", LLMPROXY_HOME=str(llmproxy.home / "file" / "home"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_database_that_is_down_is_one_line(llmproxy):
    url = "postgresql://me:secret@127.0.0.1:9/none"
    done = llmproxy("flows", LLMPROXY_DATABASE_URL=url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_doctor_reports_as_json_and_fails_with_the_database(llmproxy):
    done = llmproxy("doctor", "--json", LLMPROXY_DATABASE_URL="postgresql://127.0.0.1:9/none")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["database"]["state"] == "fail"
    assert found["proxy"]["todo"]
    assert done.returncode == 1


def test_doctor_names_a_wrong_setting(llmproxy):
    (llmproxy.home / "mitm.toml").write_text("nonsense = 1\n")
    done = llmproxy("doctor")
    assert done.returncode == 1
    assert "`nonsense`" in done.stdout


def test_proxy_hands_its_arguments_to_mitmdump(llmproxy):
    done = llmproxy("proxy", "--version")
    assert done.returncode == 0
    assert "Mitmproxy: 12." in done.stdout


def test_a_reader_that_goes_away_is_no_error(llmproxy):
    command = f"{' '.join(ENTRY)} env | true"
    done = subprocess.run(
        ["sh", "-c", command], env=llmproxy.variables, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
