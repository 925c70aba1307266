"""Is the proxy up, is the worker behind? Asked of real sockets and real journals."""

import json
import socket

from llmproxy_core.home import Home
from llmproxy_core.limits import Level
from llmproxy_core.metering.levels import Levels
from llmproxy_core.records import Event
from llmproxy_core.spool import Position, SpoolWriter
from llmproxy_core.tui.feed import Link
from llmproxy_core.tui.health import ProxyHealth, backlog_bytes, proxy_health, used_up
from llmproxy_core.tui.widgets.status_bar import Status, status_line


def tell(home: Home, **state: object) -> None:
    home.proxy_state.write_text(json.dumps({"pid": 1, "modes": ["regular"], **state}))


def test_a_proxy_that_answers_is_up(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tell(home, host="127.0.0.1", port=port)
        assert proxy_health(home) == ProxyHealth(True, f"127.0.0.1:{port}")
        tell(home, host="0.0.0.0", port=port)
        assert proxy_health(home) == ProxyHealth(True, f"0.0.0.0:{port}")


def test_a_proxy_that_was_killed_is_down(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    tell(home, host="127.0.0.1", port=port)
    assert proxy_health(home) == ProxyHealth(False, f"127.0.0.1:{port}")


def test_without_a_readable_state_it_is_down(home: Home) -> None:
    assert proxy_health(home) == ProxyHealth(False)
    home.proxy_state.write_text("{not json")
    assert proxy_health(home) == ProxyHealth(False)


def test_the_backlog_is_what_is_written_and_not_stored(home: Home) -> None:
    writer = SpoolWriter(home.spool)
    writer.append(Event(b"1" * 16, 0, "gap", {}))
    whole = backlog_bytes(home, {})
    assert whole > 0
    stored = Position(1, 8 + whole)
    assert backlog_bytes(home, {writer.id: stored}) == 0
    writer.append(Event(b"2" * 16, 0, "gap", {}), [b"x" * 1000])
    assert backlog_bytes(home, {writer.id: stored}) > 1000
    writer.close()


def test_limits_that_are_used_up_are_told(home: Home) -> None:
    assert used_up(home) == []
    told = Levels(home)
    told.changed([Level("day", "usd", "user a", 5, 5), Level("fair", "requests", "user b", 19, 20)])
    told.write()
    assert used_up(home) == ["day"]
    assert "limit day used up" in status_line(Status(used_up=("day",)), 120).plain
    several = Status(used_up=("day", "fair", "third"))
    assert "limit day and 2 more used up" in status_line(several, 120).plain


def test_the_status_line_keeps_the_important_when_narrow() -> None:
    link: Link = "down"
    status = Status(ProxyHealth(False, "127.0.0.1:8080"), 5_000_000, 3.2, link, "x", 2, None)
    assert "proxy down (127.0.0.1:8080)" in status_line(status, 40).plain
    wide = status_line(status, 120).plain
    assert "database not up yet, retrying" in wide
    assert "backlog 5.0 MB" in wide
    assert len(status_line(status, 70).plain) <= 70
