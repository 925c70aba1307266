from llmproxy_core.anomaly.reading.urls import urls
from llmproxy_core.anomaly.seen_hosts import SeenHosts, registered


def settled() -> SeenHosts:
    seen = SeenHosts(settled=3)
    for host in ("a.example", "b.example", "c.example"):
        assert not seen.is_new("ns", host)
    return seen


def test_a_host_is_new_once_and_only_where_enough_are_known():
    seen = settled()
    assert seen.is_new("ns", "evil.example")
    assert not seen.is_new("ns", "evil.example")
    assert not seen.is_new("other", "evil.example")


def test_hosts_of_one_domain_are_one():
    assert registered("a.b.example.com") == registered("example.com") == "example.com"
    assert registered("www.bbc.co.uk") == "bbc.co.uk"
    assert registered("203.0.113.7") == "203.0.113.7"


def test_well_known_and_local_hosts_are_no_news():
    text = "https://github.com/a http://localhost:1 https://drop.example/x?d=1"
    found = settled().findings("ns", urls(text))
    assert [text[one.start : one.end] for one in found] == ["https://drop.example/x?d=1"]


def test_what_was_seen_survives_a_restart():
    seen, again = settled(), SeenHosts(settled=3)
    again.load(seen.dumped())
    assert not again.is_new("ns", "a.example")
    assert again.is_new("ns", "new.example")


def test_it_stays_small():
    seen = SeenHosts(most_hosts=10, most_namespaces=5)
    for number in range(1000):
        seen.is_new(f"n{number % 50}", f"h{number}.example")
    assert len(seen.dumped()) < 2000
