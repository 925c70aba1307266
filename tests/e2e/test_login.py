"""Who may use the proxy: htpasswd files of every kind, guessers, and nobody else has to wait."""

import base64
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import argon2
import bcrypt
import httpx
import pytest

from llmproxy_core.simulator import Simulator
from tests.e2e.test_startup import run_and_fail
from tests.mitm import CHECKOUT, Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
ASK = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hello"}]}
WORDS = {
    "anna": "correct:horse battery",
    "ben": "staple-of-ben",
    "old": "from-long-ago",
    "umlaut": "grüße",
}
SLOW = [f"slow-{number}" for number in range(5)]
WORDS |= {user: f"{user} takes its time" for user in SLOW}
SLOW_PASSES = 20
"""Of Argon2: a second or more."""


def argon(password: str, passes: int = 1) -> str:
    return argon2.PasswordHasher(time_cost=passes).hash(password)


def bcrypted(password: str, cost: int = 10) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode().replace("$2b$", "$2y$")


def write(file: Path, **hashes: str) -> None:
    """Some time ago: what is being written is not read yet."""
    file.write_text(
        "# who may use the proxy\n\n" + "".join(f"{u}:{h}\n" for u, h in hashes.items())
    )
    past = time.time() - 60 + len(hashes)
    os.utime(file, (past, past))


class Program:
    """A program that logs in to a proxy, or does not; each call is a connection of its own."""

    def __init__(self, proxy: Mitmdump, user: str = "", password: str | None = None) -> None:
        word = WORDS.get(user, "") if password is None else password
        login = (user, word) if user else None
        self._proxy = httpx.Proxy(proxy.url, auth=login)
        self._trust = proxy.trust()

    def open(self) -> httpx.Client:
        """Its tunnel stays open, however long nothing is sent through it."""
        stays = httpx.Limits(keepalive_expiry=None)
        return httpx.Client(proxy=self._proxy, verify=self._trust, timeout=60, limits=stays)

    def status(self) -> int:
        """Of a call through a tunnel; that of the tunnel itself, if it is refused."""
        with self.open() as http:
            try:
                return http.post(URL, json=ASK).status_code
            except httpx.ProxyError as exc:
                return int(str(exc).split()[0])

    def plain(self) -> httpx.Response:
        """Of a call without a tunnel."""
        with self.open() as http:
            return http.get("http://example.com/")


@contextmanager
def cpu_of(proxy: Mitmdump) -> Iterator[Callable[[], float]]:
    """The seconds of CPU that a proxy takes meanwhile: they are no more where others take theirs."""
    took = [-_cpu(proxy)]
    yield lambda: sum(took)
    took.append(_cpu(proxy))


def _cpu(proxy: Mitmdump) -> float:
    stat = Path(f"/proc/{proxy.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sha = base64.b64encode(hashlib.sha1(WORDS["old"].encode()).digest()).decode()
    file = tmp_path_factory.mktemp("users") / "htpasswd"
    hashes = {user: bcrypted(word) for user, word in WORDS.items()}
    hashes |= {"anna": argon(WORDS["anna"]), "old": f"{{SHA}}{sha}"}
    write(file, **hashes | {user: argon(WORDS[user], SLOW_PASSES) for user in SLOW})
    return file


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator, file: Path
) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("proxy")
    loud = ("-v", "--set", "flow_detail=4", "-w", str(folder / "flows"))
    config = f'[proxy]\nauth = "@{file}"\n'
    with Mitmdump(folder, *loud, simulator=simulator, config=config) as running:
        yield running


@pytest.mark.parametrize("user", ["anna", "ben", "old", "umlaut"])
def test_argon2_bcrypt_and_old_sha1_are_read(proxy, user):
    assert Program(proxy, user).status() == 200
    assert Program(proxy, user).plain().status_code != 407
    wait_for(lambda: user in [call.opened.proxy_user for call in proxy.calls()])


@pytest.mark.parametrize(
    ("user", "password"),
    [("", ""), ("anna", ""), ("ben", WORDS["anna"]), ("nobody", "x"), ("anna", "correct")],
)
def test_nobody_else_comes_in(proxy, user, password):
    assert Program(proxy, user, password).status() == 407
    refused = Program(proxy, user, password).plain()
    assert refused.status_code == 407
    assert refused.headers["proxy-authenticate"].startswith("Basic ")


def test_a_slow_check_stops_no_other_flow(proxy):
    other = Program(proxy, "anna")
    assert other.status() == 200

    for user in SLOW[:4]:  # a busy machine may let this test sleep through a check
        answered = 0
        with ThreadPoolExecutor() as pool, other.open() as http:
            slow = pool.submit(Program(proxy, user).status)
            while not slow.done():
                assert http.post(URL, json=ASK).status_code == 200
                answered += 1
            assert slow.result() == 200
        if answered > 5:
            break
    assert answered > 5


def test_what_was_checked_is_remembered(proxy):
    with cpu_of(proxy) as once:
        assert Program(proxy, SLOW[4]).status() == 200
    with cpu_of(proxy) as again:
        assert {Program(proxy, SLOW[4]).status() for _ in range(3)} == {200}
    assert again() < once()


def test_passwords_are_neither_logged_nor_kept(proxy):
    Program(proxy, "ben").plain()
    Program(proxy, "ben", "a-typo-of-ben").plain()
    wait_for(lambda: "example.com" in proxy.output)

    secrets = [word.encode() for word in (*WORDS.values(), "a-typo-of-ben")]
    secrets += [base64.b64encode(f"{user}:{word}".encode()) for user, word in WORDS.items()]
    secrets += [base64.b64encode(b"ben:a-typo-of-ben")]
    files = [proxy.log, proxy.log.parent / "flows", *proxy.home.path.rglob("*")]
    for place in filter(Path.is_file, files):
        content = place.read_bytes()
        assert not [secret for secret in secrets if secret in content], place


def test_weak_hashes_are_told(proxy, file):
    assert f"{file} has a SHA-1 hash of 'old'" in proxy.output


class TestOneProxyEach:
    @pytest.fixture
    def begin(self, tmp_path, simulator) -> Iterator[object]:
        running: list[Mitmdump] = []

        def begin(auth: str, *arguments: str) -> Mitmdump:
            config = f"[proxy]\nauth = '{auth}'\n" if auth else ""
            proxy = Mitmdump(tmp_path / "proxy", *arguments, simulator=simulator, config=config)
            running.append(proxy)
            proxy.start()
            return proxy

        yield begin
        for proxy in running:
            proxy.stop()

    def test_an_edited_file_lets_new_users_in_and_old_ones_out(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, anna=argon(WORDS["anna"]), ben=bcrypted(WORDS["ben"]))
        proxy = begin(f"@{file}")

        with Program(proxy, "anna").open() as anna, Program(proxy, "ben").open() as ben:
            assert [http.post(URL, json=ASK).status_code for http in (anna, ben)] == [200, 200]
            write(file, ben=bcrypted(WORDS["ben"], 4), new=bcrypted("newcomer", 4), x=bcrypted("x"))
            wait_for(lambda: Program(proxy, "new", "newcomer").status() == 200)

            # open tunnels, too: his password is hashed anew, she is gone
            assert [http.post(URL, json=ASK).status_code for http in (anna, ben)] == [407, 407]
        assert [Program(proxy, user).status() for user in ("anna", "ben")] == [407, 200]

    def test_a_broken_edit_keeps_what_was_and_names_the_line(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, anna=argon(WORDS["anna"]))
        proxy = begin(f"@{file}")

        write(file, anna=argon(WORDS["anna"]), ben="$apr1$abcdefgh$0123456789")
        wait_for(
            lambda: f"proxy.auth, {file}, line 4: the hash of 'ben' is neither" in proxy.output
        )
        assert "0123456789" not in proxy.output
        assert Program(proxy, "anna").status() == 200

    def test_who_guesses_has_to_wait_and_who_is_known_does_not(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, anna=bcrypted(WORDS["anna"], 4), ben=bcrypted(WORDS["ben"], 4))
        proxy = begin(f"@{file}")
        assert Program(proxy, "anna").status() == 200

        guesses = [Program(proxy, "ben", f"guess-{n}").plain() for n in range(11)]
        assert [answer.status_code for answer in guesses] == [407] * 10 + [429]
        assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
        assert Program(proxy, "ben").status() == 429
        assert Program(proxy, "anna").status() == 200
        assert proxy.output.count("127.0.0.1 has given 10 wrong passwords") == 1

    def test_one_wrong_password_again_and_again_is_no_guessing(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, anna=bcrypted(WORDS["anna"], 4))
        proxy = begin(f"@{file}")

        assert {Program(proxy, "anna", "typo").status() for _ in range(20)} == {407}
        assert Program(proxy, "anna").status() == 200

    def test_many_connections_at_once_are_one_check(self, begin, tmp_path):
        file, (one, other) = tmp_path / "htpasswd", SLOW[:2]
        write(file, **{user: argon(WORDS[user], SLOW_PASSES) for user in (one, other)})
        proxy = begin(f"@{file}")

        with cpu_of(proxy) as once:
            assert Program(proxy, one).status() == 200
        with cpu_of(proxy) as together, ThreadPoolExecutor(16) as pool:
            told = list(pool.map(lambda _: Program(proxy, other).status(), range(16)))
        assert told == [200] * 16
        assert together() < 4 * once()

    def test_a_single_user_may_have_a_password_with_colons(self, begin):
        proxy = begin("me:open:sesame")

        assert Program(proxy, "me", "open:sesame").status() == 200
        assert Program(proxy, "me", "open").status() == 407
        assert Program(proxy, "me", "open:sesame").plain().status_code != 407

    def test_a_file_on_the_command_line_comes_first(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, ben=bcrypted(WORDS["ben"], 4))
        proxy = begin("me:sesame", "--proxyauth", f"@{file}")

        assert Program(proxy, "ben").status() == 200
        assert Program(proxy, "me", "sesame").status() == 407

    def test_what_is_reserved_wants_a_login(self, tmp_path, simulator):
        config = '[[namespaces]]\nname = "payments"\nreserved = true\n'
        with Mitmdump(tmp_path, simulator=simulator, config=config) as proxy:
            told = "reserved for users of the proxy: payments; but proxy.auth in mitm.toml is empty"
            wait_for(lambda: told in proxy.output)

    def test_socks_asks_for_the_same_password(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        write(file, anna=argon(WORDS["anna"]))
        proxy = begin(f"@{file}", "--mode", "socks5")

        assert socks(proxy.port, "anna", WORDS["anna"]) == b"\x01\x00"
        assert socks(proxy.port, "anna", "wrong") == b"\x01\x01"
        assert socks(proxy.port, "nobody", WORDS["anna"]) == b"\x01\x01"

    def test_a_client_that_goes_away_while_it_is_checked_harms_nobody(self, begin, tmp_path):
        file = tmp_path / "htpasswd"
        slow = SLOW[0]
        hashes = {slow: argon(WORDS[slow], SLOW_PASSES), "ben": bcrypted(WORDS["ben"], 4)}
        write(file, **hashes)
        proxy = begin(f"@{file}")
        login = base64.b64encode(f"{slow}:{WORDS[slow]}".encode())

        for _ in range(3):
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
                client.sendall(
                    b"CONNECT api.openai.com:443 HTTP/1.1\r\nProxy-Authorization: Basic %b\r\n\r\n"
                    % login
                )
                time.sleep(0.1)
        assert Program(proxy, "ben").status() == 200
        assert Program(proxy, slow).status() == 200
        assert "Traceback" not in proxy.output


def test_a_reload_of_the_addons_lets_nobody_in_or_out(tmp_path, simulator):
    work = tmp_path / "work"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "addons", work / "addons", ignore=ignored)
    file = tmp_path / "htpasswd"
    write(file, anna=argon(WORDS["anna"]))
    config = f'[proxy]\nauth = "@{file}"\n'

    with Mitmdump(tmp_path / "proxy", simulator=simulator, config=config, cwd=work) as proxy:
        with Program(proxy, "anna").open() as anna:
            assert anna.post(URL, json=ASK).status_code == 200
            login = work / "addons" / "login.py"
            login.write_text(login.read_text() + "\n# edited\n")
            wait_for(lambda: "Reloaded folder" in proxy.output)

            assert anna.post(URL, json=ASK).status_code == 200
            assert [Program(proxy, user).status() for user in ("anna", "ben")] == [200, 407]
            write(file, anna=argon("another"), ben=argon(WORDS["ben"]))
            wait_for(lambda: Program(proxy, "ben").status() == 200)
            assert anna.post(URL, json=ASK).status_code == 407
        assert "Traceback" not in proxy.output


def socks(port: int, user: str, password: str) -> bytes:
    """The proxy's answer to a login (RFC 1929)."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"\x05\x01\x02")
        assert client.recv(2) == b"\x05\x02"
        name, word = user.encode(), password.encode()
        client.sendall(b"\x01%c%b%c%b" % (len(name), name, len(word), word))
        return client.recv(2)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("ben\n", ", line 1: not a line `user:hash`"),
        (
            "\n# x\nben:hunter2\n",
            ", line 3: the hash of 'ben' is neither bcrypt nor Argon2 (cut off",
        ),
        (f"a:{bcrypted('x', 4)}\na:{bcrypted('y', 4)}\n", ", line 2: 'a' is there twice"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_start(tmp_path, content, told):
    file = tmp_path / "htpasswd"
    file.write_text(content)

    said = run_and_fail(Mitmdump(tmp_path / "proxy", config=f'[proxy]\nauth = "@{file}"\n'))
    assert f"proxy.auth, {file}{told}" in said
    assert "hunter2" not in said


def test_a_file_that_is_not_there_ends_the_start(tmp_path):
    said = run_and_fail(Mitmdump(tmp_path, config=f'[proxy]\nauth = "@{tmp_path}/none"\n'))

    assert f"proxy.auth, {tmp_path}/none cannot be read: No such file or directory" in said
