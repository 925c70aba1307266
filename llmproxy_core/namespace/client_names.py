"""The names that the client's tools have in the client, from those that were sent and stored."""

from collections.abc import Iterable, Mapping


def client_name(name: str, prefix: str | None, shortened: Mapping[str, str] | None) -> str:
    """The client's name of a tool: what it was shortened from, else it without one `prefix`.

    A name without the prefix is the provider's own, or a model's mistake: it is what it is.
    """
    if shortened and name in shortened:
        return shortened[name]
    return name.removeprefix(prefix) if prefix else name


def client_names(
    names: Iterable[str], prefix: str | None, shortened: Mapping[str, str] | None
) -> list[str]:
    return [client_name(name, prefix, shortened) for name in names]
