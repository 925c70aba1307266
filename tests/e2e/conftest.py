import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import machine, prefixing, strict_provider  # noqa: F401
from tests.mitm import Mitmdump
from tests.postgres import postgres_home  # noqa: F401


@pytest.fixture(scope="session")
def simulator():
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, simulator):
    """One mitmdump for all tests of a module; look at the calls you made, not at all of them."""
    with Mitmdump(tmp_path_factory.mktemp("proxy"), simulator=simulator) as running:
        yield running
