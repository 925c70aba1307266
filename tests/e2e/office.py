"""Programs that ask by the simulator's fifty prompts, through a proxy; and what is learnt of them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from llmproxy_core.config import Config
from llmproxy_core.simulator.contents import Contents
from llmproxy_core.simulator.programs import Call
from llmproxy_core.simulator.routines import Routine
from llmproxy_core.store.database import Database
from llmproxy_core.store.migrate import open_store
from tests.e2e.limited import client
from tests.mitm import Mitmdump, wait_for

THREADS = 4


def work(proxy: Mitmdump, calls: Iterable[Call]) -> int:
    """Make calls, some at a time; how many got an answer."""
    with client(proxy) as http, ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda call: _made(http, call), list(calls)))


def _made(http: httpx.Client, call: Call) -> bool:
    return http.post(call.url, json=call.body, headers=call.headers).is_success


def repeated(routine: Routine, number: int, seed: int) -> Iterator[Call]:
    contents = Contents(seed)
    return (routine.call(contents) for _ in range(number))


class Store:
    """Reads what the worker has written, once there is a database."""

    def __init__(self, proxy: Mitmdump) -> None:
        self.database: Database = wait_for(lambda: open_store(Config(), proxy.home, "test"), 60)

    def read[T](self, what: Callable[[Any], T]) -> T:
        with self.database.connect() as connection:
            return what(connection)

    def soon[T](self, what: Callable[[Any], T | None], seconds: float = 60.0) -> T:
        """Wait until it is something."""
        return wait_for(lambda: self.read(what), seconds)
