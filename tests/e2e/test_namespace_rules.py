"""Whose call it is, as the provider sees it: by the prefix before the names of tools."""

import base64
import hashlib
import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.namespaced import function, named, said
from tests.mitm import Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
GROQ = "https://api.groq.com/openai/v1/chat/completions"
PASSWORDS = {"anna": "secret-of-anna", "bob": "secret-of-bob", "ci-7": "secret-of-ci"}
RULES = """
[[namespaces]]
name = "vault"
prefix = "vlt__"
reserved = ["anna", "ci-*"]
match = { header = { "x-team" = "vault" } }

[[namespaces]]
name = "users"
prefix = "usr__"
match = { proxy_user = "ci-*" }

[[namespaces]]
name = "agents"
prefix = "agt__"
match = { user_agent = "team-agent/*", header = { "x-part" = ["one", "two"] } }

[[namespaces]]
name = "models"
prefix = "mdl__"
match = { model = "gpt-*-mine" }

[[namespaces]]
name = "providers"
prefix = "grq__"
match = { provider = "groq" }

[[namespaces]]
name = "addresses"
prefix = "adr__"
match = { client = "127.0.0.2" }

[[namespaces]]
name = "sessions"
prefix = "ses__"
match = { session = "thread-4*" }

[[namespaces]]
name = "folders"
prefix = "fld__"
match = { session = "/home/anna/shop*" }

[[namespaces]]
name = "default"
prefix = "dfl__"
"""
AGENT = {"user-agent": "team-agent/1.0"}


def htpasswd(folder: Path) -> Path:
    """With the hash that every htpasswd can make; others are tested where it is read."""
    file = folder / "htpasswd"
    lines = [
        f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}"
        for user, password in PASSWORDS.items()
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("ruled")
    config = f'[proxy]\nauth = "@{htpasswd(folder)}"\n{RULES}'
    with Mitmdump(folder, simulator=simulator, config=config) as running:
        yield running


class Caller:
    """A program that logs in to the proxy, and what the provider gets of it."""

    def __init__(self, simulator: Simulator, proxy: Mitmdump, user: str | None = None) -> None:
        self.simulator = simulator
        url = httpx.URL(proxy.url)
        self._proxy = url.copy_with(username=user, password=PASSWORDS[user]) if user else url
        self._trust = proxy.trust()

    def ask(
        self,
        messages: list[Any] | None = None,
        *,
        url: str = URL,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> str:
        """The prefix with which the provider saw the tool `find`."""
        body = {"model": "gpt-5", "tools": [function("find")], **body}
        body["messages"] = messages or said("use a tool")
        self.simulator.seen.clear()
        with httpx.Client(proxy=self._proxy, verify=self._trust, timeout=60) as client:
            answer = client.post(url, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        call = answer.json()["choices"][0]["message"]["tool_calls"][0]
        assert call["function"]["name"] == "find"
        return self.prefix()

    def prefix(self) -> str:
        """Of the last request."""
        (name,) = named(self.simulator.seen[-1].body)
        return name.removesuffix("find")


@pytest.mark.parametrize(
    ("prefix", "asked"),
    [
        ("dfl__", {}),
        ("dfl__", {"headers": AGENT}),
        ("agt__", {"headers": {**AGENT, "x-part": "two"}}),
        ("dfl__", {"headers": {**AGENT, "x-part": "three"}}),
        ("mdl__", {"model": "gpt-5-mine"}),
        ("dfl__", {"model": "gpt-5-mine-not"}),
        ("grq__", {"url": GROQ}),
        ("ses__", {"headers": {"session-id": "thread-42"}}),
        ("ses__", {"prompt_cache_key": "thread-43"}),
        ("dfl__", {"prompt_cache_key": "thread-5"}),
        (
            "fld__",
            {
                "messages": [
                    {
                        "role": "system",
                        "content": "<env>\nWorking directory: /home/anna/shop/web\n</env>",
                    },
                    *said("use a tool"),
                ]
            },
        ),
    ],
)
def test_each_matcher_finds_its_calls(ruled, simulator, prefix, asked):
    assert Caller(simulator, ruled, "bob").ask(**asked) == prefix


@pytest.mark.parametrize(("address", "prefix"), [("127.0.0.2", "adr__"), ("127.0.0.3", "dfl__")])
def test_the_address_of_a_program_finds_its_calls(ruled, simulator, address, prefix):
    """By http.client, because httpx chooses the address itself before a proxy."""
    login = base64.b64encode(f"bob:{PASSWORDS['bob']}".encode()).decode()
    connection = http.client.HTTPSConnection(
        "127.0.0.1", ruled.port, source_address=(address, 0), context=ruled.trust(), timeout=60
    )
    connection.set_tunnel("api.openai.com", 443, {"Proxy-Authorization": f"Basic {login}"})
    body = {"model": "gpt-5", "tools": [function("find")], "messages": said("Hello")}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    assert connection.getresponse().status == 200
    connection.close()

    assert Caller(simulator, ruled).prefix() == prefix


@pytest.mark.parametrize(
    ("user", "headers", "prefix"),
    [
        ("ci-7", {}, "usr__"),
        ("anna", {"x-team": "vault"}, "vlt__"),
        ("ci-7", {"x-team": "vault"}, "vlt__"),
        ("bob", {"x-team": "vault"}, "dfl__"),
    ],
)
def test_who_logs_in_is_known_and_others_are_not_let_into_what_is_reserved(
    ruled, simulator, user, headers, prefix
):
    assert Caller(simulator, ruled, user).ask(headers=headers) == prefix


def test_without_a_password_nobody_gets_through_and_it_is_not_handed_on(ruled, simulator):
    with pytest.raises(httpx.ProxyError, match="407"):
        Caller(simulator, ruled).ask()

    Caller(simulator, ruled, "anna").ask()
    (seen,) = simulator.seen
    assert not [name for name, _ in seen.headers if name.lower() == "proxy-authorization"]


CALLS = [{"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}]
TURN = [
    {"role": "assistant", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c", "content": "nothing"},
    {"role": "user", "content": "use a tool again"},
]
PAYMENTS = '[[namespaces]]\nname = "payments"\nprefix = "pay__"\nmatch = { provider = "openai" }\n'


def configure(proxy: Mitmdump, config: str) -> None:
    file = Path(proxy.environment["LLMPROXY_CONFIG"])
    file.write_text(f"[worker]\nchild = false\n{config}")


def restarted(proxy: Mitmdump, config: str, how: int = signal.SIGTERM) -> None:
    proxy.stop(how)
    configure(proxy, config)
    proxy.start()


def test_a_conversation_goes_on_as_it_began_whatever_is_configured_then(tmp_path, simulator):
    early, late, last = (said(f"use a tool, {when}") for when in ("early", "late", "last"))
    with Mitmdump(tmp_path, simulator=simulator) as proxy:
        assert Caller(simulator, proxy).ask(early) == ""

        restarted(proxy, PAYMENTS)
        assert Caller(simulator, proxy).ask(early + TURN) == ""
        assert Caller(simulator, proxy).ask(late) == "pay__"

        restarted(proxy, PAYMENTS.replace("pay__", "other__"), signal.SIGKILL)
        assert Caller(simulator, proxy).ask(early + TURN * 2) == ""
        assert Caller(simulator, proxy).ask(late + TURN) == "pay__"
        assert Caller(simulator, proxy).ask(last) == "other__"

        restarted(proxy, "")
        assert Caller(simulator, proxy).ask(late + TURN * 2) == "pay__"
        assert Caller(simulator, proxy).ask(last + TURN) == "other__"
        assert not [c for c in proxy.calls() if b"early" in c.request and c.opened.prefix]


def test_what_was_asked_before_a_restart_is_answered_with_the_programs_names(tmp_path, simulator):
    """The results of a batch: nothing but the id in the path tells whose they are."""
    url = "https://api.anthropic.com/v1/messages/batches"
    tool = {"name": "look_up_" + "a_very_long_name_" * 7, "input_schema": {"type": "object"}}
    params = {"model": "m", "max_tokens": 9, "messages": said("use a tool"), "tools": [tool]}
    config = PAYMENTS.replace("openai", "anthropic")
    with Mitmdump(tmp_path, simulator=simulator, config=config) as proxy:
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as client:
            body = {"requests": [{"custom_id": "one", "params": params}]}
            made = client.post(url, json=body).json()
        assert b'"pay__look_up' in simulator.seen[-1].body

        restarted(proxy, "", signal.SIGKILL)
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as client:
            answer = client.get(f"{url}/{made['id']}/results")

    (line,) = answer.text.splitlines()
    assert json.loads(line)["result"]["message"]["content"][0]["name"] == tool["name"]


def test_a_rule_that_is_written_while_the_proxy_runs_counts_soon_and_by_the_key(
    tmp_path, simulator
):
    key = {"authorization": "Bearer sk-test-0123456789abcdefghij"}
    with Mitmdump(tmp_path, simulator=simulator) as proxy:
        caller = Caller(simulator, proxy)
        assert caller.ask(said("use a tool at first"), headers=key) == ""
        fingerprint = proxy.closed(1)[0].opened.credential
        configure(proxy, PAYMENTS.replace('provider = "openai"', f'key = "{fingerprint}"'))

        numbers = iter(range(1000))

        def prefix(headers: dict[str, str]) -> str:
            return caller.ask(said(f"use a tool {next(numbers)}"), headers=headers)

        assert wait_for(lambda: prefix(key)) == "pay__"
        assert prefix({"authorization": "Bearer sk-test-of-another-0123456789"}) == ""


def test_two_namespaces_with_one_prefix_end_the_start(tmp_path, simulator):
    twice = PAYMENTS + PAYMENTS.replace("payments", "others")

    with pytest.raises(AssertionError, match="pay__"):
        Mitmdump(tmp_path, simulator=simulator, config=twice).start()


@pytest.mark.parametrize("prefix", ["1pay", "pay."])
def test_a_prefix_that_a_provider_forbids_ends_the_start(tmp_path, simulator, prefix):
    config = PAYMENTS.replace("pay__", prefix)

    with pytest.raises(AssertionError, match="prefix"):
        Mitmdump(tmp_path, simulator=simulator, config=config).start()


def test_conversations_with_signatures_of_before_are_left_as_the_provider_knows_them(
    tmp_path, simulator
):
    """One that the proxy has not seen begin: the provider has signed names without the prefix."""
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent"
    call = {"functionCall": {"name": "find", "args": {}}, "thoughtSignature": "AAAA"}
    body = {
        "tools": [{"functionDeclarations": [{"name": "find"}]}],
        "contents": [
            {"role": "user", "parts": [{"text": "find it"}]},
            {"role": "model", "parts": [call]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "find", "response": {"result": "x"}}}],
            },
        ],
    }
    config = PAYMENTS.replace("openai", "google")
    with (
        Mitmdump(tmp_path, simulator=simulator, config=config) as proxy,
        httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http,
    ):
        simulator.seen.clear()
        assert http.post(url, json=body).status_code == 200
        stored = proxy.closed(1)[0]

    assert json.loads(simulator.seen[-1].body) == body
    assert stored.opened.left_alone == "began_without"


@pytest.mark.parametrize("headers", [{"x-claude-code-session-id": "one-for-both"}, {}])
def test_who_is_not_let_in_does_not_get_in_by_a_conversation_either(ruled, simulator, headers):
    begun = said("a secret beginning: use a tool")
    vault = {"x-team": "vault", **headers}
    assert Caller(simulator, ruled, "anna").ask(begun, headers=vault) == "vlt__"

    assert Caller(simulator, ruled, "anna").ask(begun + TURN, headers=headers) == "vlt__"
    assert Caller(simulator, ruled, "bob").ask(begun + TURN, headers=vault) == "dfl__"
    assert Caller(simulator, ruled, "bob").ask(begun + TURN, headers=headers) == "dfl__"
