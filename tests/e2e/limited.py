"""Programs under limits: one proxy, a namespace for each test, and what its limits have counted."""

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
    return httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=30, **options)


def level(proxy: Mitmdump, name: str, kind: str) -> Level | None:
    """How far a limit is used up, as the proxies of the home tell it."""
    for one in levels.read(proxy.home) or []:
        if (one.limit, one.kind) == (name, kind):
            return one
    return None


def used(proxy: Mitmdump, name: str, kind: str = "tokens") -> float:
    found = level(proxy, name, kind)
    return found.used if found else 0.0


def counted(proxy: Mitmdump, name: str, expected: float, kind: str = "tokens") -> None:
    """Wait until so much is counted; levels are told once a second."""
    try:
        wait_for(lambda: abs(used(proxy, name, kind) - expected) < 1e-9 or None, 5)
    except AssertionError:
        assert used(proxy, name, kind) == expected
