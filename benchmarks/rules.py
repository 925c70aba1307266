"""What it costs a call to find its namespace, and to know who logged in.

    python -m benchmarks.rules [--namespaces 20]

Prints for each kind of matcher the CPU of a call of which no rule holds, the dearest case; then
that of reading the model and the session in a body; then that of a login that is remembered.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from llmproxy_core.config import NamespaceConfig
from llmproxy_core.logins import of_one
from llmproxy_core.namespace import facts
from llmproxy_core.namespace.caller import Caller
from llmproxy_core.namespace.rules import Rules

ROUNDS = 5
CALLS = 2000
SESSION = "3c8c8f21-d754-401a-9908-6b0583efaecb"
HEADERS = [(f"X-Stainless-{number}", "some value") for number in range(18)]
CALLER = Caller(
    proxy_user="anna",
    client="127.0.0.1:53124",
    headers=[*HEADERS, ("User-Agent", "claude-cli/2.1"), ("X-Claude-Code-Session-Id", SESSION)],
    key="fp_0123456789ab",
    provider="anthropic",
    model="claude-opus-5",
    sessions=(SESSION, "/home/anna/shop"),
)
MATCHES: dict[str, Callable[[int], dict[str, Any]]] = {
    "proxy_user": lambda n: {"proxy_user": f"user-{n}"},
    "client": lambda n: {"client": f"10.{n}.0.0/16"},
    "header": lambda n: {"header": {"x-team": f"team-{n}"}},
    "user_agent": lambda n: {"user_agent": f"agent-{n}/*"},
    "model": lambda n: {"model": f"*gpt-{n}*"},
    "session": lambda n: {"session": f"/srv/*/{n}/*"},
    "five of them": lambda n: {
        "provider": "anthropic",
        "proxy_user": "an*",
        "key": "fp_0123456789ab",
        "model": "claude*",
        "session": f"/srv/{n}/*",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--namespaces", type=int, default=20)
    count = parser.parse_args().namespaces
    for name, match in MATCHES.items():
        rules = Rules(
            NamespaceConfig.model_validate({"name": f"team-{n}", "match": match(n)})
            for n in range(count)
        )
        _print(f"{count} namespaces by {name}", partial(rules.find, CALLER))
    body = _body()
    _print(f"model of {len(body):,} bytes", lambda: facts.model("/v1/messages", body))
    _print(f"session of {len(body):,} bytes", lambda: facts.session(body))
    logins = of_one("anna", "correct horse", print)
    _print("a login that is remembered", lambda: logins.known("anna", "correct horse"))


def _body() -> bytes:
    """What a coding agent sends in the middle of its work."""
    said = {"type": "text", "text": "The total of the cart is wrong. " * 50}
    environment = "# Environment\n - Primary working directory: /home/anna/shop\n"
    return json.dumps(
        {
            "model": "claude-opus-5",
            "messages": [{"role": "user", "content": [said]}] * 50,
            "system": [{"type": "text", "text": "You are careful. " * 300 + environment}],
            "metadata": {"user_id": json.dumps({"session_id": SESSION})},
        }
    ).encode()


def _print(what: str, work: Callable[[], object]) -> None:
    print(f"{what:34} {_best(work):7.2f} µs", flush=True)


def _best(work: Callable[[], object]) -> float:
    """CPU µs of one call, in the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(CALLS):
            work()
        times.append(time.process_time() - start)
    return min(times) * 1e6 / CALLS


if __name__ == "__main__":
    main()
