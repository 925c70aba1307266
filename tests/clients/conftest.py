from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from llmproxy_core.simulator import Simulator
from tests.clients.agent import Agent
from tests.clients.installation import install, missing
from tests.mitm import Mitmdump


@pytest.fixture(scope="session")
def programs():
    if reason := missing():
        pytest.skip(reason)
    return install()


@pytest.fixture
def start(tmp_path, programs) -> Iterator[Callable[..., Agent]]:
    """Begin with an empty machine: a provider, a proxy, a home.

    With `prefix` the provider refuses names of tools that do not begin so.
    """
    with ExitStack() as running:

        def begin(
            *, websockets: bool = True, prefix: str = "", config: str = "", **settings: str
        ) -> Agent:
            provider = running.enter_context(
                Simulator(keep_bodies=True, websockets=websockets, required_prefix=prefix)
            )
            proxy = running.enter_context(
                Mitmdump(tmp_path / "proxy", simulator=provider, worker=True, config=config)
            )
            return Agent(tmp_path, programs, proxy, provider, **settings)

        yield begin
