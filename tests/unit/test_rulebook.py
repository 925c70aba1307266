import asyncio
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core import config, rulebook, watched
from llmproxy_core.errors import ConfigError
from llmproxy_core.home import Home
from llmproxy_core.namespace.caller import Caller
from llmproxy_core.rulebook import Handed
from llmproxy_core.store.namespaces import Rule
from tests.mitm import wait_for

PAST = 1_600_000_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write mitm.toml, some time ago."""
    times = iter(range(1000))

    def write(text: str) -> Path:
        file = tmp_path / "mitm.toml"
        file.write_text(text)
        at = PAST + next(times)
        os.utime(file, (at, at))
        return file

    return write


@pytest.fixture
def begin(home: Home, said: list[str], written: Callable[..., Path]) -> Callable[..., Any]:
    def begin(text: str = "") -> rulebook.Rulebook:
        return rulebook.Rulebook(config.read(written(text)), home, said.append)

    return begin


def hand(home: Home, *rules: Rule) -> None:
    """Write the rulebook, some time ago."""
    rulebook.write(home, rules)
    at = PAST + home.rulebook.stat().st_mtime_ns % 10**9
    os.utime(home.rulebook, (at, at))


def names(book: rulebook.Rulebook) -> list[str]:
    return [one.name for one in book.rules.namespaces]


def toml(*names: str, prefix: str = "") -> str:
    return "".join(f'[[namespaces]]\nname = "{name}"\nprefix = "{prefix}"\n' for name in names)


def test_what_is_written_is_what_is_read(home):
    header: dict[str, Any] = {"header": {"x-team": ["a", "b*"]}, "client": ["10.0.0.0/8"]}
    rules = [Rule("a", "a__", header, ["anna"], "skip", True), Rule("b"), Rule("c", "c_")]

    assert rulebook.write(home, rules)
    assert [Rule.of(one) for one in rulebook.read(home.rulebook).namespaces] == rules


def test_only_its_owner_can_read_it(home):
    rulebook.write(home, [Rule("a")])

    assert stat.S_IMODE(home.rulebook.stat().st_mode) == 0o600


def test_it_is_not_written_again_if_nothing_has_changed(home):
    assert rulebook.write(home, [Rule("a")])
    assert not rulebook.write(home, [Rule("a")])
    assert rulebook.write(home, [Rule("b")])


def test_no_file_is_no_rules(home):
    assert rulebook.read(home.rulebook) == Handed()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "it has no `version`"),
        (b'{"version": "1"}', "it has no `version`"),
        (b'{"version": 2, "namespaces": [{"odd": 1}]}', "version 2 is of a newer llmproxy"),
        (b'{"version": 1, "namespaces": 3}', "`namespaces` = 3: allowed is a list"),
        (b'{"version": 1, "namespaces": [{"name": "a", "prefix": "-"}]}', "namespaces[0].prefix"),
    ],
)
def test_a_file_that_is_no_rulebook_is_told_in_one_line(home, content, told):
    home.rulebook.write_bytes(content)

    with pytest.raises(ConfigError) as raised:
        rulebook.read(home.rulebook)

    assert str(raised.value).startswith(str(home.rulebook))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_rulebook_that_may_not_be_read_is_named(home):
    home.rulebook.mkdir()

    with pytest.raises(ConfigError, match=r"rulebook\.json: Is a directory"):
        rulebook.read(home.rulebook)


def test_the_rules_of_the_file_come_before_those_of_the_table(home, begin):
    hand(home, Rule("c"), Rule("d"))

    assert names(begin(toml("a", "b"))) == ["a", "b", "c", "d"]


def test_settings_without_a_file_have_the_rules_of_the_table(home, said):
    hand(home, Rule("a"))

    assert names(rulebook.Rulebook(config.Config(), home, said.append)) == ["a"]


class TestClashes:
    def test_a_name_of_the_file_hides_that_of_the_table(self, home, begin, said):
        hand(home, Rule("a", "other__"), Rule("b"))
        book = begin(toml("a", prefix="a__"))

        assert [(one.name, one.prefix) for one in book.rules.namespaces] == [
            ("a", "a__"),
            ("b", ""),
        ]
        assert said == ["the namespace a of mitm.toml comes before that of the table"]

    def test_a_prefix_of_the_file_is_taken_from_the_table(self, home, begin, said):
        hand(home, Rule("b", "a__"))
        book = begin(toml("a", prefix="a__"))

        assert [(one.name, one.prefix) for one in book.rules.namespaces] == [
            ("a", "a__"),
            ("b", ""),
        ]
        assert "`llmproxy ns set b` gives it another" in said[0]

    def test_they_are_told_once(self, home, begin, said):
        hand(home, Rule("a"))
        book = begin(toml("a"))
        hand(home, Rule("a"), Rule("c"))

        assert book.refresh()
        assert len(said) == 1


class TestChanges:
    def test_without_one_nothing_is_read(self, home, begin, monkeypatch):
        hand(home, Rule("b"))
        book = begin(toml("a"))
        before = book.rules

        monkeypatch.setattr(Path, "read_bytes", None)
        monkeypatch.setattr(Path, "read_text", None)
        assert not book.refresh()
        assert book.rules is before

    def test_a_new_rulebook_is_in_force_at_the_next_look(self, home, begin):
        book = begin(toml("a"))
        hand(home, Rule("b", match={"provider": ["openai"]}))

        assert book.refresh()
        assert book.rules.find(Caller(provider="openai")).name == "b"

    def test_a_rulebook_that_is_gone_has_no_rules(self, home, begin):
        hand(home, Rule("b"))
        book = begin(toml("a"))
        home.rulebook.unlink()

        assert book.refresh()
        assert names(book) == ["a"]

    def test_an_edited_file_is_in_force_at_the_next_look(self, begin, written):
        book = begin(toml("a"))
        written("[proxy]\nport = 1\n" + toml("a", "b"))

        assert book.refresh()
        assert names(book) == ["a", "b"]

    def test_an_edit_of_other_settings_changes_no_rules(self, begin, written):
        book = begin(toml("a"))
        written("[proxy]\nport = 1\n" + toml("a"))

        assert not book.refresh()

    def test_a_file_that_is_just_being_written_is_left_for_the_next_look(
        self, begin, tmp_path, monkeypatch
    ):
        book = begin(toml("a"))
        monkeypatch.setattr(watched, "SETTLED_NS", 60 * 10**9)
        (tmp_path / "mitm.toml").write_text("")

        assert not book.refresh()
        assert names(book) == ["a"]

    @pytest.mark.parametrize("text", ["x =", toml("a") + toml("a"), "[[namespaces]]\nodd = 1"])
    def test_a_broken_edit_keeps_what_was_and_is_told_once(self, begin, written, said, text):
        book = begin(toml("a"))
        file = written(text)

        assert [book.refresh(), book.refresh()] == [False, False]
        assert names(book) == ["a"]
        (told,) = said
        assert told.startswith(str(file))
        assert told.endswith("What it said before stays in force")

    def test_a_broken_rulebook_keeps_what_was_until_it_is_mended(self, home, begin, said):
        hand(home, Rule("b"))
        book = begin(toml("a"))
        home.rulebook.write_text("{")
        os.utime(home.rulebook, (PAST, PAST))

        assert not book.refresh()
        assert names(book) == ["a", "b"]
        assert len(said) == 1

        hand(home, Rule("c"))
        assert book.refresh()
        assert names(book) == ["a", "c"]

    def test_a_settings_file_that_is_gone_keeps_its_rules(self, begin, tmp_path, said):
        book = begin(toml("a"))
        (tmp_path / "mitm.toml").unlink()

        assert not book.refresh()
        assert names(book) == ["a"]
        assert "No such file" in said[0]

    async def test_they_are_seen_while_the_proxy_runs(self, home, begin, said, monkeypatch):
        monkeypatch.setattr(rulebook, "SECONDS", 0.01)
        book = begin()
        task = asyncio.create_task(book.keep_fresh())
        hand(home, Rule("b"))

        await asyncio.to_thread(wait_for, lambda: names(book) == ["b"])
        monkeypatch.setattr(rulebook, "Rules", None)  # a fault of ours
        hand(home, Rule("c"))
        await asyncio.to_thread(wait_for, lambda: said)
        assert names(book) == ["b"]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_an_entry_is_as_short_as_it_can_be(home):
    rulebook.write(home, [Rule("a")])

    entry = {"name": "a", "on_too_long": "shorten"}
    assert json.loads(home.rulebook.read_bytes()) == {"version": 1, "namespaces": [entry]}
