"""The rules that the proxy goes by, namespaces, policies and transformations: those of `mitm.toml`,
and those of the tables `namespaces`, `security_policies` and `transformations`.

The latter come as a file of the home, which the worker writes whenever the tables change:
`{"version": 1, "namespaces": [...], "policies": [...], "proven": [...], "learned": {...}}`, each
entry of the first two as a table `[[namespaces]]` or `[[policies]]`; beside them what
`enhancing.improving.Tables` says. Both files are read again when they change. A file that cannot be
read is told once, and what it said before stays in force; of what improves requests, only what is
broken is left out. The proxy needs no database for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from llmproxy_core import config
from llmproxy_core.anomaly.learning import NOTHING, Learned
from llmproxy_core.config import Config, NamespaceConfig, PolicyConfig
from llmproxy_core.enhancing.handed import (
    EMPTY,
    Compiler,
    Tables,
    compiled,
    read_compiled,
    tables_of,
)
from llmproxy_core.enhancing.improving import Improving
from llmproxy_core.errors import ConfigError
from llmproxy_core.home import Home, write_private
from llmproxy_core.namespace.rules import Rules
from llmproxy_core.policies import Policies
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
    @property
    def capture(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Handed:
    """What the worker has handed over. `proven`: names of policies whose bound of false positives
    is below what they allow. `learned`: what resolutions taught."""

    namespaces: list[NamespaceConfig] = field(default_factory=list)
    policies: list[PolicyConfig] = field(default_factory=list)
    proven: frozenset[str] = frozenset()
    learned: Learned = NOTHING
    tables: Tables = EMPTY


class Named(Protocol):
    @property
    def name(self) -> str: ...


def write(
    home: Home,
    rules: Iterable[WrittenRule],
    policies: Iterable[Mapping[str, Any]] = (),
    proven: Iterable[str] = (),
    learned: Learned = NOTHING,
    tables: Tables = EMPTY,
) -> bool:
    """Hand what is in the tables to the proxies of a home; False if they have it.

    `policies`: each as a table `[[policies]]`.

    Raises:
        OSError: the file cannot be written.
    """
    others = {
        "policies": [dict(policy) for policy in policies],
        "proven": sorted(proven),
        "learned": learned.written(),
        **tables.written(),
    }
    content = msgspec.json.encode(
        {"version": VERSION, "namespaces": [_entry(rule) for rule in rules]}
        | {key: value for key, value in others.items() if value}
    )
    try:
        if home.rulebook.read_bytes() == content:
            return False
    except OSError:
        pass  # there is none yet, or none that can be read
    write_private(home.rulebook, content)
    return True


def read(path: Path) -> Handed:
    """What is in a rulebook; nothing if there is no such file.

    Raises:
        ConfigError: it is broken, or a newer llmproxy has written it.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return Handed()
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
    tables = {key: content.get(key, []) for key in ("namespaces", "policies")}
    checked = config.check(path, tables)
    proven, learned = content.get("proven", []), content.get("learned", {})
    if not isinstance(proven, list) or not isinstance(learned, dict):
        raise ConfigError(f"{path}: `proven` is no list, or `learned` no object")
    return Handed(
        checked.namespaces,
        checked.policies,
        frozenset(map(str, proven)),
        Learned.read(learned),
        tables_of(content),
    )


class Rulebook:
    """The rules in force. `tell` hears what is wrong with the files, once a change of them.

    `improves`: are requests changed here? Else `improving` is nothing.
    """

    def __init__(
        self,
        settings: Config,
        home: Home,
        tell: Callable[[str], None],
        *,
        improves: bool = False,
    ) -> None:
        """Raises ConfigError: a transformation of the settings can be done nowhere."""
        self._tell = tell
        self._improves = improves
        source = settings.source
        rules = compiled(settings.transformations) if improves else ()
        self._transformations = Watched(source if improves else None, read_compiled, rules)
        self._namespaces = Watched(source, config.read_namespaces, settings.namespaces)
        self._policies = Watched(source, config.read_policies, settings.policies)
        self._handed = Watched(home.rulebook, read, Handed())
        self._clashes: list[str] = []
        self.rules = Rules(settings.namespaces)
        self.policies = Policies(settings.policies)
        self.learned = NOTHING
        self.improving = Improving(rules)
        self._compiler = Compiler(home.rulebook)
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
                problems.append(f"namespaces and policies stay as they were: {exc!r}")
            for problem in problems:
                self._tell(problem)

    def _look(self, tell: Callable[[str], None]) -> bool:
        files = (self._namespaces, self._policies, self._transformations, self._handed)
        problems: dict[str, None] = {}  # two of them read the same file, and may say the same
        changed = [file.refresh(lambda said: problems.setdefault(said)) for file in files]
        for problem in problems:
            tell(problem)
        if any(changed):
            handed = self._handed.value
            rules, clashes = merged(self._namespaces.value, handed.namespaces)
            policies, more = joined(self._policies.value, handed.policies)
            improved = self._improved(handed.tables) if self._improves else []
            for clash in (clashes := [*clashes, *more, *improved]):
                if clash not in self._clashes:
                    tell(clash)
            self._clashes = clashes
            self.rules = Rules(rules)
            self.policies = Policies(policies, handed.proven)
            self.learned = handed.learned
        return any(changed)

    def _improved(self, tables: Tables) -> list[str]:
        """Puts into force what improves requests; what is wrong with it."""
        handed, trials, patterns, problems = self._compiler.read(tables)
        rules, clashes = joined(self._transformations.value, handed, "the transformation")
        self.improving = Improving(rules, trials, patterns)
        return [*clashes, *problems]


def joined[T: Named](
    written: Sequence[T], handed: Sequence[T], what: str = "the policy"
) -> tuple[list[T], list[str]]:
    """Those of the file and those of the table; and where the file comes before it."""
    named = {one.name for one in written}
    others = [one for one in handed if one.name not in named]
    clashes = [
        f"{what} {one.name} of mitm.toml comes before that of the table"
        for one in handed
        if one.name in named
    ]
    return [*written, *others], clashes


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
    if rule.capture != "full":
        entry["capture"] = rule.capture
    return entry
