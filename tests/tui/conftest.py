from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from llmproxy_core.home import Home, private_folder
from llmproxy_core.tui import hub
from llmproxy_core.tui.health import ProxyHealth
from tests.postgres import database, postgres_home
from tests.tui import demo
from tests.tui.memory import MemorySource

__all__ = ["database", "postgres_home"]


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """A call of ours that blocks the event loop fails the test."""
    with blockbuster_ctx("llmproxy_core"):
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    private_folder(tmp_path / "spool")
    return Home(tmp_path)


@pytest.fixture
def source() -> MemorySource:
    return demo.source()


@pytest.fixture
def proxy_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on its usual port, for pictures: a real one would have another port every time."""
    monkeypatch.setattr(hub, "proxy_health", lambda _: ProxyHealth(True, "127.0.0.1:8080"))
