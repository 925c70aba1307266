"""The rules that the proxy goes by: those of `mitm.toml`, then those of the table `namespaces`.

The latter come as a file of the home, which the worker writes whenever the table changes:
`{"version": 1, "namespaces": [...]}`, each entry as a table `[[namespaces]]`. Both files are read
again when they change. A file that cannot be read is told once, and what it said before stays in
force. The proxy needs no database for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from llmproxy_core import config
from llmproxy_core.config import Config, NamespaceConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.home import Home, write_private
from llmproxy_core.namespace.rules import Rules
from llmproxy_core.watched import Watched

VERSION = 1
SECONDS = 1.0
"""How often the files are looked at."""


class WrittenRule(Protocol):
    """A rule of the table; its fields are those of `[[namespaces]]`."""

    @property
    def name(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def match(self) -> Mapping[str, Any]: ...
    @property
    def reserved(self) -> Sequence[str]: ...
    @property
    def on_too_long(self) -> str: ...
    @property
    def plain_text(self) -> bool: ...


def write(home: Home, rules: Iterable[WrittenRule]) -> bool:
    """Hand the rules of the table to the proxies of a home; False if they have them.

    Raises:
        OSError: the file cannot be written.
    """
    content = msgspec.json.encode({"version": VERSION, "namespaces": [_entry(r) for r in rules]})
    try:
        if home.rulebook.read_bytes() == content:
            return False
    except OSError:
        pass  # there is none yet, or none that can be read
    write_private(home.rulebook, content)
    return True


def read(path: Path) -> list[NamespaceConfig]:
    """The rules in a rulebook, in order; none if there is no such file.

    Raises:
        ConfigError: it is broken, or a newer llmproxy has written it.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ConfigError(f"{path}: not valid JSON: {exc}") from None
    if not isinstance(content, dict) or not isinstance(content.get("version"), int):
        raise ConfigError(f"{path}: no rulebook: it has no `version`")
    if content["version"] > VERSION:
        raise ConfigError(
            f"{path}: version {content['version']} is of a newer llmproxy, this one reads "
            f"{VERSION}: update it"
        )
    return config.check(path, {"namespaces": content.get("namespaces", [])}).namespaces


class Rulebook:
    """The rules in force. `tell` hears what is wrong with the files, once a change of them."""

    def __init__(self, settings: Config, home: Home, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._written = Watched(settings.source, config.read_namespaces, settings.namespaces)
        self._handed = Watched(home.rulebook, read, list[NamespaceConfig]())
        self._clashes: list[str] = []
        self.rules = Rules(settings.namespaces)
        self.refresh()

    def refresh(self) -> bool:
        """Look at the files; are the rules new? Reads them only if they have changed."""
        return self._look(self._tell)

    async def keep_fresh(self) -> None:
        """Refresh for ever: in a thread, but what there is to tell is told on the loop."""
        while True:
            await asyncio.sleep(SECONDS)
            problems: list[str] = []
            try:
                await asyncio.to_thread(self._look, problems.append)
            except Exception as exc:  # noqa: BLE001  fails open: the rules stay as they are
                problems.append(f"the rules of namespaces stay as they were: {exc!r}")
            for problem in problems:
                self._tell(problem)

    def _look(self, tell: Callable[[str], None]) -> bool:
        changed = [file.refresh(tell) for file in (self._written, self._handed)]
        if any(changed):
            rules, clashes = merged(self._written.value, self._handed.value)
            for clash in clashes:
                if clash not in self._clashes:
                    tell(clash)
            self._clashes = clashes
            self.rules = Rules(rules)
        return any(changed)


def merged(
    written: Sequence[NamespaceConfig], handed: Sequence[NamespaceConfig]
) -> tuple[list[NamespaceConfig], list[str]]:
    """The rules of the file, then those of the table; and where the file comes before the table."""
    rules, clashes = list(written), []
    named = {rule.name for rule in written}
    prefixes = {rule.prefix: rule.name for rule in written if rule.prefix}
    for rule in handed:
        if rule.name in named:
            clashes.append(f"the namespace {rule.name} of mitm.toml comes before that of the table")
        elif owner := prefixes.get(rule.prefix):
            clashes.append(
                f"the prefix {rule.prefix} is that of {owner} in mitm.toml: {rule.name} has none "
                f"until `llmproxy ns set {rule.name}` gives it another"
            )
            rules.append(rule.model_copy(update={"prefix": ""}))
        else:
            rules.append(rule)
    return rules, clashes


def _entry(rule: WrittenRule) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": rule.name, "on_too_long": rule.on_too_long}
    if rule.prefix:
        entry["prefix"] = rule.prefix
    if rule.match:
        entry["match"] = dict(rule.match)
    if rule.reserved:
        entry["reserved"] = list(rule.reserved)
    if rule.plain_text:
        entry["plain_text"] = True
    return entry
