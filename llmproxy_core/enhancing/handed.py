"""What improves requests, as files hand it over: read, checked and made ready.

Of the worker's file, what is broken is left out and told; the others are in force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from llmproxy_core import config
from llmproxy_core.enhancing.recognised import Recognised
from llmproxy_core.enhancing.trials import Trial, trial
from llmproxy_core.errors import ConfigError, ExpressionError
from llmproxy_core.model import Json
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.transformations.transformation import Transformation, transformation


@dataclass(frozen=True, slots=True)
class Tables:
    """What the worker hands over of its tables, as JSON.

    `transformations`: each as a table `[[transformations]]`. `experiments`: each as
    `Experiment.to_json`, with `namespace`, its name, and once it is promoted `rule`, the name of the
    transformation that the winner has become. `patterns`: by the name of their namespace, see
    `recognised`.
    """

    transformations: Sequence[Mapping[str, Any]] = ()
    experiments: Sequence[Mapping[str, Any]] = ()
    patterns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def written(self) -> dict[str, Json]:
        """Those that there are."""
        found: dict[str, Json] = {
            "transformations": [dict(one) for one in self.transformations],
            "experiments": [dict(one) for one in self.experiments],
            "patterns": {name: dict(one) for name, one in self.patterns.items()},
        }
        return {key: value for key, value in found.items() if value}


EMPTY = Tables()


class Ready(NamedTuple):
    transformations: list[Transformation]
    trials: list[Trial]
    patterns: dict[str, Recognised]
    problems: list[str]


class Compiler:
    """Remembers patterns: those that are the same as before are not read again, as 1,000 of them
    take a while. `file`: whose they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tables = EMPTY
        self._recognised: dict[str, Recognised] = {}

    def read(self, tables: Tables) -> Ready:
        problems: list[str] = []
        transformations = self._transformations(tables, problems)
        trials = _trials(tables.experiments, problems)
        before = self._tables.patterns
        recognised = {}
        for name, entry in tables.patterns.items():
            if name in self._recognised and before.get(name) == entry:
                recognised[name] = self._recognised[name]
                continue
            try:
                recognised[name] = Recognised.of(entry)
            except ValueError as exc:
                problems.append(f"namespace {name}: {exc}")
        self._tables, self._recognised = tables, recognised
        said = [f"{self._file}: left out: {one}" for one in problems]
        return Ready(transformations, trials, recognised, said)

    def _transformations(self, tables: Tables, problems: list[str]) -> list[Transformation]:
        found: list[Transformation] = []
        for entry in tables.transformations:
            name = entry.get("name") if isinstance(entry, dict) else None
            try:
                checked = config.check(self._file, {"transformations": [entry]})
                found += compiled(checked.transformations)
            except ConfigError as exc:
                said = str(exc).removeprefix(f"{self._file}: ")
                problems.append(f"the transformation {name}: {said}")
        return found


def tables_of(content: Mapping[str, Any]) -> Tables:
    """Of a rulebook. What is no table of its kind is none; each entry is looked at by itself."""
    patterns = content.get("patterns")
    return Tables(
        _list(content.get("transformations")),
        _list(content.get("experiments")),
        patterns if isinstance(patterns, dict) else {},
    )


def compiled(settings: Iterable[TransformationConfig]) -> tuple[Transformation, ...]:
    """Raises ConfigError: one of them can be done nowhere."""
    return tuple(transformation(one) for one in settings)


def read_compiled(file: Path) -> tuple[Transformation, ...]:
    """The transformations of `mitm.toml`. Raises ConfigError."""
    settings = config.read_transformations(file)
    try:
        return compiled(settings)
    except ConfigError as exc:
        raise ConfigError(f"{file}: {exc}") from None


def _trials(entries: Iterable[Any], problems: list[str]) -> list[Trial]:
    found = []
    for entry in entries:
        try:
            one = trial(entry)
        except (ConfigError, ExpressionError) as exc:
            problems.append(str(exc))
        except (TypeError, ValueError, AttributeError, RecursionError) as exc:
            problems.append(f"an experiment cannot be read: {exc!r}")
        else:
            found += [one] if one is not None else []
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
