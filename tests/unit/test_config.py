import os
import tomllib
from pathlib import Path

import pytest

from llmproxy_core import config
from llmproxy_core.errors import ConfigError

PROJECT_FILE = Path(__file__).parents[2] / "mitm.toml"


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "mitm.toml"
        file.write_text(text)
        return file

    return write


def test_the_projects_own_file_holds_the_defaults():
    read = config.read(PROJECT_FILE)

    assert read.model_copy(update={"source": None}) == config.Config()
    for table, values in tomllib.loads(PROJECT_FILE.read_text()).items():
        assert set(values) == set(type(getattr(read, table)).model_fields)


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("prox = 1", "`prox`", "proxy, capture"),
        ("[proxy]\nprot = 1", "`proxy.prot`", "host, port"),
        ('[proxy]\nport = "x"', "`proxy.port` = 'x'", "integer"),
        ("[proxy]\nport = 65536", "`proxy.port` = 65536", "less than or equal to 65535"),
        ("[proxy]\nconfdir = 3", "`proxy.confdir` = 3", "a path"),
        ('[proxy]\nmode = "regular"', "`proxy.mode` = 'regular'", "a list"),
        ("[proxy]\nopen = 1", "`proxy.open` = 1", "boolean"),
        ('[capture]\nmax_body = "3 XB"', "`capture.max_body` = '3 XB'", "KiB, MiB, GiB"),
        ("[capture]\nmax_body = -1", "`capture.max_body` = -1", "greater than or equal to 0"),
        ('[spool]\nfsync = "no"', "`spool.fsync` = 'no'", "'interval', 'always' or 'never'"),
        ('[database]\nurl = "mysql://h/d"', "`database.url`", "postgresql://"),
        ("providers = 3", "`providers` = 3", "a list"),
        ('[[providers]]\nname = "a"', "`providers[0].hosts`", "required"),
        (
            '[[providers]]\nname = "a"\nhosts = ["https://x"]',
            "`providers[0].hosts[0]` = 'https://x'",
            "without scheme",
        ),
        ("proxy = 3", "`proxy` = 3", "a table"),
        ("source = 3", "`source`", "unknown key"),
        ("x =", "not valid TOML", "end of document"),
    ],
)
def test_a_wrong_setting_names_file_key_value_and_what_is_allowed(written, text, key, allowed):
    file = written(text)

    with pytest.raises(ConfigError) as raised:
        config.read(file)

    message = str(raised.value)
    assert message.startswith(str(file))
    assert key in message
    assert allowed in message
    assert "\n" not in message


def test_all_mistakes_are_told_at_once(written):
    with pytest.raises(ConfigError, match=r"`proxy\.port`.*`spool\.fsync`"):
        config.read(written('[proxy]\nport = "x"\n[spool]\nfsync = "no"'))


@pytest.mark.parametrize(
    "text", ['[proxy]\nauth = "hunter2"', '[database]\nurl = "mysql://u:hunter2@h/d"']
)
def test_a_password_is_not_repeated_in_the_error(written, text):
    with pytest.raises(ConfigError) as raised:
        config.read(written(text))

    assert "hunter2" not in str(raised.value)


def test_a_password_is_not_in_the_representation(written):
    read = config.read(
        written('[proxy]\nauth = "u:hunter2"\n[database]\nurl = "postgresql://u:hunter2@h/d"')
    )

    assert "hunter2" not in repr(read)


@pytest.mark.parametrize(
    ("written_size", "size"), [("5", 5), ('"5"', 5), ('"2 KiB"', 2048), ('"1gib"', 2**30)]
)
def test_sizes_have_units(written, written_size, size):
    assert config.read(written(f"[capture]\nmax_body = {written_size}")).capture.max_body == size


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[proxy]\nconfdir = "a\\u0000b"', "`proxy.confdir`: control characters"),
        ('[[providers]]\nname = "\\u001b[2J"\nhosts = ["a"]', "`providers[0].name`: control"),
        ('["\\u001b[2J"]\na = 1', r"the key '\x1b[2J': control characters"),
        ('[proxy]\nconfdir = "~no-such-user/x"', "the user after ~ is not known here"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    ],
)
def test_a_hostile_file_is_told_in_one_harmless_line(written, text, told):
    with pytest.raises(ConfigError) as caught:
        config.read(written(text))

    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_utf8_is_named(written, tmp_path):
    file = tmp_path / "mitm.toml"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"mitm\.toml: not valid TOML"):
        config.read(file)


class TestWhichFile:
    @pytest.fixture(autouse=True)
    def nowhere(self, tmp_path, monkeypatch):
        for name in ("work", "home"):
            (tmp_path / name).mkdir()
        monkeypatch.delenv("LLMPROXY_CONFIG", raising=False)
        monkeypatch.delenv("LLMPROXY_DATABASE_URL", raising=False)
        monkeypatch.chdir(tmp_path / "work")

    def test_without_any_file_the_defaults_are_in_force(self, tmp_path):
        assert config.load(home=tmp_path / "home") == config.Config()

    def test_the_home_folder_comes_last(self, tmp_path):
        (tmp_path / "home" / "mitm.toml").write_text("[proxy]\nport = 1")
        assert config.load(home=tmp_path / "home").proxy.port == 1

        (tmp_path / "work" / "mitm.toml").write_text("[proxy]\nport = 2")
        assert config.load(home=tmp_path / "home").proxy.port == 2

    def test_the_environment_comes_first(self, tmp_path, monkeypatch):
        (tmp_path / "work" / "mitm.toml").write_text("[proxy]\nport = 2")
        (tmp_path / "other.toml").write_text("[proxy]\nport = 3")
        monkeypatch.setenv("LLMPROXY_CONFIG", str(tmp_path / "other.toml"))

        assert config.load(home=tmp_path / "home").proxy.port == 3

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_one_that_somebody_else_has_left_here_is_refused(self, tmp_path, monkeypatch):
        file = tmp_path / "mitm.toml"
        file.write_text("[proxy]\nport = 1\n")
        os.chown(file, 12345, 12345)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(os, "geteuid", lambda: 54321)

        with pytest.raises(ConfigError, match="belongs to another user"):
            config.load()

    def test_a_named_file_that_is_missing_is_an_error(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LLMPROXY_CONFIG", str(tmp_path / "none.toml"))

        with pytest.raises(ConfigError, match=r"LLMPROXY_CONFIG: there is no file .*none\.toml"):
            config.load()

    def test_the_database_of_the_environment_comes_first(self, tmp_path, monkeypatch):
        (tmp_path / "work" / "mitm.toml").write_text('[database]\nurl = "postgresql://a/b"')
        monkeypatch.setenv("LLMPROXY_DATABASE_URL", "postgresql://c/d")
        assert config.load().database.url == "postgresql://c/d"

        monkeypatch.setenv("LLMPROXY_DATABASE_URL", "http://u:hunter2@c/d")
        with pytest.raises(ConfigError, match="LLMPROXY_DATABASE_URL") as raised:
            config.load()
        assert "hunter2" not in str(raised.value)
