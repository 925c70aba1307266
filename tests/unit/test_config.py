import os
import re
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


@pytest.mark.parametrize("section", sorted(set(config.Config.model_fields) - {"source"}))
def test_an_unknown_key_is_told_in_every_section(written, section):
    of_many = isinstance(getattr(config.Config(), section), list)
    head, key = (f"[[{section}]]", f"{section}[0]") if of_many else (f"[{section}]", section)

    with pytest.raises(ConfigError, match=re.escape(f"unknown key `{key}.x`; known here: ")):
        config.read(written(f"{head}\nx = 1"))


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


def named(**values: str) -> str:
    lines = [f"{key} = {value}" for key, value in {"name": '"a"', **values}.items()]
    return "\n".join(["[[namespaces]]", *lines, ""])


class TestNamespaces:
    def test_what_is_written_short_is_read_as_lists(self, written):
        text = named(
            prefix='"pay__"',
            match='{ client = "10.0.0.0/8", header = { "X-Team" = "pay*" }, model = ["a", "b"] }',
            reserved='"anna"',
        )
        (read,) = config.read(written(text)).namespaces

        assert (read.name, read.prefix, read.on_too_long) == ("a", "pay__", "shorten")
        assert read.reserved == ["anna"]
        assert read.match
        assert read.match.client == ["10.0.0.0/8"]
        assert read.match.header == {"X-Team": ["pay*"]}
        assert read.match.model == ["a", "b"]
        assert read.match.session == []

    def test_what_was_read_can_be_read_again(self, written):
        text = named(match='{ key = "fp_0123456789ab" }', reserved="true")
        (read,) = config.read(written(text)).namespaces

        again = config.NamespaceConfig.model_validate(read.model_dump(exclude_defaults=True))
        assert again == read
        assert again.reserved == ["*"]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[namespaces]", "`namespaces` = {}: allowed is a list"),
            ("[[namespaces]]", "`namespaces[0].name` is required"),
            (named(name='"a b"'), "`namespaces[0].name` = 'a b': allowed is letters, digits"),
            (named(name='"default"', reserved="true"), "`namespaces[0].reserved`: allowed is noth"),
            (named(prefix='"9x"'), "`namespaces[0].prefix` = '9x': allowed is letters, digits"),
            (named(prefix=f'"{"a" * 33}"'), "32 at most"),
            (named() + named(), "`namespaces[1].name` = 'a': allowed is a name of its own; `names"),
            (
                named(prefix='"x"') + named(name='"b"', prefix='"x"'),
                "`namespaces[1].prefix` = 'x': allowed is a prefix of its own; `namespaces[0]` has",
            ),
            (named(match="{}"), "`namespaces[0].match` = {}: allowed is one of proxy_user, client"),
            (named(match="{ team = 1 }"), "unknown key `namespaces[0].match.team`; known here: pr"),
            (named(match='{ model = "" }'), "`namespaces[0].match.model[0]` = '': allowed is a te"),
            (
                named(match="{ model = [] }"),
                "`namespaces[0].match.model` = []: allowed is a list t",
            ),
            (named(match='{ model = "\\u001b" }'), "control characters are not allowed"),
            (named(match="{ header = {} }"), "`namespaces[0].match.header` = {}: allowed is"),
            (named(match='{ header = { "a b" = "x" } }'), "allowed is the name of a header"),
            (named(match='{ client = "10.0.0" }'), "client[0]` = '10.0.0': allowed is an address"),
            (named(match='{ client = "10.0.0.9/8" }'), "without the bits of a host: 10.0.0.0/8"),
            (named(match='{ client = "fe80::1%eth0" }'), "allowed is an address"),
            (named(reserved="3"), "`namespaces[0].reserved` = 3: allowed is true, false, or a li"),
            (
                named(reserved="[]"),
                "`namespaces[0].reserved` = []: allowed is true, false, or a li",
            ),
            (
                named(on_too_long='"cut"'),
                "`namespaces[0].on_too_long` = 'cut': allowed is 'shorten'",
            ),
        ],
    )
    def test_a_mistake_names_the_table_the_key_and_what_is_allowed(self, written, text, told):
        with pytest.raises(ConfigError) as raised:
            config.read(written(text))

        assert told in str(raised.value)

    @pytest.mark.parametrize(
        "text",
        [
            named(match='{ key = "sk-hunter2" }'),
            named(match='{ key = ["fp_0123456789ab", "sk-hunter2"] }'),
            named(match='{ header = { Authorization = "Bearer hunter2" } }'),
            named(match='{ header = { Authorization = 3, x = "sk-hunter2" } }'),
            '[[namespaces]]\nmatch = { key = "sk-hunter2" }',
        ],
    )
    def test_a_key_in_the_wrong_place_is_not_repeated(self, written, text):
        with pytest.raises(ConfigError) as raised:
            config.read(written(text))

        assert "hunter2" not in str(raised.value)

    def test_they_can_be_read_apart_from_the_rest_of_the_file(self, written):
        file = written('[proxy]\nport = "x"\n' + named())

        assert [one.name for one in config.read_namespaces(file)] == ["a"]


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
