"""Odd and hostile bodies through the real proxy: what cannot be changed for certain passes as it came."""

import gzip
import zlib
from collections.abc import Iterator

import brotli
import httpx
import pytest
import zstandard

from llmproxy_core import rulebook
from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.providers.recoding import decode_whole
from llmproxy_core.simulator import Simulator
from tests.mitm import Mitmdump
from tests.unit.enhancing.handing import learnt

CONFIG = """
[capture]
max_body = "2 MiB"

[[transformations]]
name = "brief"
logic = [
  { op = "append_system", text = "Be brief." },
  { op = "clamp", parameter = "max_tokens", max = 10 },
  { op = "replace_text", role = "user", find = "x", replacement = "y" },
]

[[transformations]]
name = "by-pattern"
when = 'pattern.id == "none" or pattern.system == "none" or pattern.tools == "none"'
logic = [{ op = "drop", parameter = "temperature" }]
"""
URL = "https://api.openai.com/v1/chat/completions"
GOOD = b'{"model": "gpt-5", "max_tokens": 1e3, "messages": [{"role": "user", "content": "x"}]}'
AFTER = b'{"model": "gpt-5", "max_tokens": 10, "messages": [{"role":"system","content":"Be brief."},{"role": "user", "content": "y"}]}'  # fmt: skip
MESSAGE = b'{"role": "user", "content": "x"}'


def saying(messages: bytes, /, **fields: bytes) -> bytes:
    rest = b"".join(b'"%b": %b, ' % (key.encode(), value) for key, value in fields.items())
    return b'{"model": "gpt-5", %b"messages": %b}' % (rest, messages)


LEFT = {
    "nothing": b"",
    "blanks": b"  \n",
    "truncated": GOOD[:-3],
    "two": GOOD + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "a key twice": saying(b"[" + MESSAGE + b"]", messages=b"[]"),
    "an escaped key twice": saying(b"[" + MESSAGE + b"]").replace(
        b'"model"', b'"mess\\u0061ges": [], "model"'
    ),
    "not a number": saying(b"[" + MESSAGE + b"]", max_tokens=b"NaN"),
    "half of a character": GOOD.replace(b'"x"', rb'"\ud800 x"'),
    "deep": saying(b"[" * 100_000 + b"]" * 100_000),
    "deep messages": saying(b'[{"role": "user", "content": %b1%b}]' % (b'{"a":' * 50_000, b"}" * 50_000)),
    "very many messages": saying(b"[" + b",".join([MESSAGE] * 30_000) + b"]"),
    "larger than is kept": saying(b'[{"role": "user", "content": "%b"}]' % (b"x" * 2**21)),
}  # fmt: skip
CODED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[httpx.Client]:
    running = Mitmdump(tmp_path_factory.mktemp("hostile"), simulator=provider, config=CONFIG)
    running.home.path.mkdir(parents=True)
    rulebook.write(running.home, [], tables=Tables(patterns={"default": learnt()[0]}))
    with (
        running,
        httpx.Client(proxy=running.url, verify=running.trust(), timeout=60) as client,
    ):
        yield client
    assert "passes untouched" not in running.output  # no fault of ours on the way


def sent(http: httpx.Client, provider: Simulator, body: bytes, coding: str = "") -> bytes:
    headers = {"content-type": "application/json"}
    http.post(URL, content=body, headers=headers | ({"content-encoding": coding} if coding else {}))
    return provider.seen[-1].body


@pytest.mark.parametrize("name", LEFT)
def test_what_cannot_be_changed_for_certain_passes_as_it_came(http, provider, name: str):
    assert sent(http, provider, LEFT[name]) == LEFT[name]


@pytest.mark.parametrize("coding", CODED)
def test_a_coded_body_is_changed_in_its_coding(http, provider, coding: str):
    got = sent(http, provider, CODED[coding](GOOD), coding)
    assert decode_whole([("content-encoding", coding)], got) == AFTER


@pytest.mark.parametrize("coding", CODED)
def test_a_coded_body_that_is_damaged_passes_as_it_came(http, provider, coding: str):
    cut = CODED[coding](GOOD * 20)[:-9]
    assert sent(http, provider, cut, coding) == cut


@pytest.mark.parametrize("coding", ["x-secret", "gzip, x-secret", "gzip"])
def test_a_bomb_or_a_coding_that_nobody_knows_passes_as_it_came(http, provider, coding: str):
    body = gzip.compress(saying(b'[{"role": "user", "content": "%b"}]' % (b"x" * 2**24)))
    assert sent(http, provider, body, coding) == body


@pytest.mark.parametrize("told", [*CODED, "gzip, br", "identity"])
def test_a_coding_that_is_a_lie_changes_no_other_byte(http, provider, told: str):
    """Plain JSON that is announced as coded, as some programs do: changed as such, or not at all."""
    assert sent(http, provider, GOOD, told) in (GOOD, AFTER)


def test_a_body_that_hides_its_coding_passes_as_it_came(http, provider):
    body = gzip.compress(GOOD)
    assert sent(http, provider, body) == body


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf" + GOOD, b"\xef\xbb\xbf" + AFTER),
        (GOOD.replace(b'"x"', b'"\xff x"'), AFTER.replace(b'"y"', b'"\xff x"')),
        (GOOD.replace(b'"x"', rb'"\\x\u00e9\/"'), AFTER.replace(b'"y"', rb'"\\y\u00e9\/"')),
        (GOOD.replace(b"1e3", b"1e999"), AFTER),
        (GOOD.replace(b"1e3", b"9" * 5000), AFTER.replace(b"10", b"9" * 5000)),
        (GOOD.replace(b"1e3", b"true"), AFTER.replace(b"10", b"true")),
    ],
)  # fmt: skip
def test_what_is_odd_beside_an_edit_keeps_its_bytes(http, provider, before: bytes, after: bytes):
    assert sent(http, provider, before) == after
