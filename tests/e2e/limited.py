"""Programs under limits: one proxy, a namespace for each test, and what its limits have counted."""

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from llmproxy_core.limits import Level
from llmproxy_core.metering import levels
from tests.mitm import Mitmdump, wait_for

CHAT = "https://api.openai.com/v1/chat/completions"


def namespace(name: str) -> str:
    """A namespace of its own, for programs that send this header."""
    return f'[[namespaces]]\nname = "{name}"\nmatch = {{ header = {{ "x-team" = "{name}" }} }}\n'


def limit(name: str, **numbers: Any) -> str:
    """A limit of a namespace, both with this name."""
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in numbers.items()]
    table = "\n".join(["[[limits]]", f'name = "{name}"', *lines])
    return f'{namespace(name)}{table}\nmatch = {{ namespace = "{name}" }}\n'


def ask(proxy: Mitmdump, team: str, simulate: str = "", **more: Any) -> httpx.Response:
    """A call, straight through the proxy."""
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hello!"}], **more}
    headers = {"x-team": team} | ({"x-simulate": simulate} if simulate else {})
    with client(proxy) as http:
        return http.post(CHAT, json=body, headers=headers)


def client(proxy: Mitmdump, **options: Any) -> httpx.Client:
    return httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60, **options)


def sent(proxy: Mitmdump, body: dict[str, Any], **headers: str) -> http.client.HTTPSConnection:
    """A call whose answer nobody waits for yet; to hang up, close it."""
    made = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=proxy.trust(), timeout=60)
    made.set_tunnel("api.openai.com", 443)
    made.request("POST", CHAT.removeprefix("https://api.openai.com"), json.dumps(body), headers)
    return made


def during[T](proxies: Sequence[Mitmdump], team: str, act: Callable[[], T]) -> T:
    """What comes of `act` while each of these proxies has a call under way.

    Where a busy machine is not done before they end, they are made anew, slower ones.
    """
    for first in (2500, 10_000, 50_000):
        with ThreadPoolExecutor(len(proxies)) as threads:
            asked = [threads.submit(ask, one, team, f"first={first}") for one in proxies]
            wait_for(partial(_begun, asked, proxies, team))
            done = act()
            in_time = not _ended(asked)
            passed = all(one.result().status_code == 200 for one in asked)
        if in_time and passed:
            return done
    raise AssertionError("the calls have not passed, or have always ended first")


def _ended(asked: Sequence[Future[httpx.Response]]) -> bool:
    return any(one.done() for one in asked)


def _begun(asked: Sequence[Future[httpx.Response]], proxies: Sequence[Mitmdump], team: str) -> bool:
    told = all(used(one, team, "concurrent") == proxies.count(one) for one in proxies)
    return told or _ended(asked)


def level(proxy: Mitmdump, name: str, kind: str) -> Level | None:
    """How far a limit is used up, as the proxies of the home tell it."""
    for one in levels.read(proxy.home) or []:
        if (one.limit, one.kind) == (name, kind):
            return one
    return None


def used(proxy: Mitmdump, name: str, kind: str = "tokens") -> float:
    found = level(proxy, name, kind)
    return found.used if found else 0.0


def told(proxy: Mitmdump) -> None:
    """Wait until all that was counted until now is told, by what is told after it.

    The proxy has a limit `ticks`, of requests.
    """
    before = used(proxy, "ticks", "requests")
    ask(proxy, "ticks")
    wait_for(lambda: used(proxy, "ticks", "requests") > before)


def counted(proxy: Mitmdump, name: str, expected: float, kind: str = "tokens") -> None:
    """Wait until so much is counted; levels are told once a second."""
    try:
        wait_for(lambda: abs(used(proxy, name, kind) - expected) < 1e-9 or None, 30)
    except AssertionError:
        assert used(proxy, name, kind) == expected
