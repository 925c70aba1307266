"""The names that the client's tools have in the client, from those that were sent and stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmproxy_core.namespace.names import client_name


@dataclass(frozen=True, slots=True)
class ClientNames:
    """Of one call. `shortened`: names that were too long for the `prefix`, as sent -> the client's."""

    prefix: str = ""
    shortened: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        return client_name(name, self.prefix, self.shortened)

    def all(self, names: Iterable[str]) -> list[str]:
        return [self.of(name) for name in names]
