"""What every command works in: the settings, the home folder, the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.config import Config
    from llmproxy_core.home import Home
    from llmproxy_core.store.database import Database


def settings() -> tuple[Config, Home]:
    """Raises HomeError, ConfigError."""
    from llmproxy_core import config
    from llmproxy_core.home import open_home

    home = open_home()
    return config.load(home=home.path), home


@contextmanager
def store(application_name: str) -> Iterator[Database]:
    """The store with a schema that fits; the embedded one is brought up to date in passing.

    Raises:
        StoreError: the database does not answer, or its schema is another one.
    """
    from llmproxy_core.store.migrate import open_store

    with open_store(*settings(), application_name) as database:
        yield database


def print_json(value: Any, *, indent: bool = True) -> None:
    """Dataclasses, ids and times included; costs are strings, so that no digit is lost."""
    import msgspec

    data = msgspec.json.encode(value)
    if indent:
        data = msgspec.json.format(data, indent=2)
    sys.stdout.write(data.decode("utf-8", "replace") + "\n")


def warn(text: str) -> None:
    sys.stderr.write(f"llmproxy: {plain.block(text)}\n")
