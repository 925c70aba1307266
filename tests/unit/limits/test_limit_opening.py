import subprocess
import sys
from decimal import Decimal

import pytest

from llmproxy_core.config import (
    Config,
    LimitConfig,
    LimiterConfig,
    check,
    read_limits,
    without_secrets,
)
from llmproxy_core.errors import ConfigError
from llmproxy_core.home import Home
from llmproxy_core.limits import Amount, Call, Limiter, Reservation
from llmproxy_core.limits.opening import open_limiter
from llmproxy_core.limits.shared import SharedLimiter


async def test_without_a_storage_it_is_counted_in_the_home(tmp_path):
    settings = Config(limits=[LimitConfig(name="all", requests_per_minute=1)])
    limiter = open_limiter(settings, Home(tmp_path), pytest.fail)

    assert isinstance(limiter, Limiter)
    assert isinstance(await limiter.ask(Call("payments"), Amount()), Reservation)
    limiter.close()
    assert (tmp_path / "limits.counts").stat().st_size == 2**20


async def test_a_storage_is_shared(tmp_path):
    pytest.importorskip("redis", reason="needs the package redis")
    settings = Config(limiter=LimiterConfig(storage="redis://127.0.0.1:1/0"))
    limiter = open_limiter(settings, Home(tmp_path), pytest.fail)

    assert isinstance(limiter, SharedLimiter)
    assert isinstance(await limiter.ask(Call(), Amount()), Reservation)
    await limiter.close()


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "limits.counts").mkdir()
    told: list[str] = []

    open_limiter(Config(), Home(tmp_path), told.append)

    assert "is forgotten when the proxy ends" in told[0]


def test_a_missing_package_is_named(tmp_path):
    program = """
import sys
sys.modules["redis"] = sys.modules["redis.asyncio"] = None
from pathlib import Path
from llmproxy_core.config import Config, LimiterConfig
from llmproxy_core.home import Home
from llmproxy_core.limits.opening import open_limiter
open_limiter(Config(limiter=LimiterConfig(storage="redis://h")), Home(Path(sys.argv[1])), print)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )

    assert "pip install 'llmproxy[redis]'" in ended.stderr


def test_the_limits_bring_no_network_into_a_proxy_that_has_none():
    program = "import sys, llmproxy_core.limits.opening; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()

    assert not {"redis", "httpx", "genai_prices", "limits"} & set(loaded)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"name": "a", "burst": 5, "concurrent": 3}, "`requests_per_minute` beside `burst`"),
        ({"name": "a", "unpriced": "refuse"}, "`usd_per_day` beside `unpriced`"),
        ({"name": "a", "per": ["model", "model"]}, "each fact once"),
        ({"name": "a", "per": ["host"]}, "'namespace', 'key'"),
        ({"name": "a b"}, "letters, digits"),
        ({"name": "a", "tokens_per_minute": 0}, "greater than or equal to 1"),
        ({"name": "a", "match": {"key": ["sk-secret"]}}, "never the key itself"),
        ({"name": "a", "match": {"host": "x"}}, "known here: namespace, key"),
        ({}, "`limits[0].name` is required"),
    ],
)
def test_a_wrong_limit_is_told_with_what_is_allowed(tmp_path, table, wrong):
    with pytest.raises(ConfigError) as raised:
        check(tmp_path / "mitm.toml", {"limits": [table]})

    assert wrong in str(raised.value)
    assert "sk-secret" not in str(raised.value)


def test_two_limits_of_one_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"`limits\[1\]\.name`.*a name of its own"):
        check(tmp_path / "mitm.toml", {"limits": [{"name": "a"}, {"name": "a"}]})


@pytest.mark.parametrize("url", ["http://user:canary@h", "redis://user:canary@h:0", "canary"])
def test_a_storage_that_is_none_is_refused_without_its_password(tmp_path, url):
    with pytest.raises(ConfigError, match="redis://host:6379/0") as raised:
        check(tmp_path / "mitm.toml", {"limiter": {"storage": url}})

    assert "canary" not in str(raised.value)


def test_a_burst_alone_belongs_to_the_requests_of_a_limit_without_numbers():
    assert LimitConfig(name="a", burst=5).requests == (100, 5)
    assert LimitConfig(name="a").requests == (100, 20)
    assert LimitConfig(name="a", requests_per_minute=5).requests == (5, 5)
    assert LimitConfig(name="a", concurrent=5).requests is None


def test_the_storages_password_is_not_shown():
    settings = Config(limiter=LimiterConfig(storage="redis://user:canary@h"))

    assert without_secrets(settings)["limiter"]["storage"] == "***"
    assert "canary" not in repr(settings)


def test_limits_are_read_again_whatever_else_is_in_the_file(tmp_path):
    file = tmp_path / "mitm.toml"
    file.write_text('[proxy]\nport = "x"\n[[limits]]\nname = "a"\nusd_per_day = 2.5\n')

    assert [limit.usd_per_day for limit in read_limits(file)] == [Decimal("2.5")]
