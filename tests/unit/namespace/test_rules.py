from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.config import NamespaceConfig
from llmproxy_core.namespace.caller import Caller, address
from llmproxy_core.namespace.rules import Rules

SESSION = "3c8c8f21-d754-401a-9908-6b0583efaecb"


def rules(*namespaces: dict[str, Any]) -> Rules:
    return Rules([NamespaceConfig.model_validate(one) for one in namespaces])


def matching(**match: Any) -> Rules:
    return rules({"name": "mine", "match": match})


def found(asked: Rules, **facts: Any) -> str:
    return asked.find(Caller(**facts)).name


def test_without_rules_every_call_is_of_the_default_namespace():
    namespace = rules().find(Caller(client="127.0.0.1:1", model="gpt"))

    assert (namespace.name, namespace.prefix, namespace.on_too_long) == ("default", "", "shorten")


@pytest.mark.parametrize(
    ("match", "theirs", "others"),
    [
        ({"proxy_user": "anna"}, {"proxy_user": "anna"}, {"proxy_user": "ben"}),
        ({"proxy_user": "ci-*"}, {"proxy_user": "ci-7"}, {"proxy_user": None}),
        ({"proxy_user": "*"}, {"proxy_user": "ben"}, {}),
        ({"client": "10.0.0.0/8"}, {"client": "10.9.8.7:53124"}, {"client": "11.0.0.1:1"}),
        ({"client": "10.0.0.1"}, {"client": "10.0.0.1"}, {"client": "10.0.0.10"}),
        ({"client": "fd00::/8"}, {"client": "[fd12::1]:80"}, {"client": "[fe80::1]:80"}),
        ({"client": ["::1", "127.0.0.1"]}, {"client": "127.0.0.1:9"}, {"client": "127.0.0.2:9"}),
        ({"header": {"X-Team": "pay*"}}, {"headers": [("x-team", "payments")]}, {}),
        ({"header": {"x-team": "*"}}, {"headers": [("X-TEAM", "")]}, {"headers": [("team", "a")]}),
        ({"key": "fp_0123456789ab"}, {"key": "fp_0123456789ab"}, {"key": "fp_0123456789ac"}),
        ({"provider": "anthropic"}, {"provider": "anthropic"}, {"provider": "openai"}),
        ({"user_agent": "claude-cli/*"}, {"headers": [("User-Agent", "claude-cli/2")]}, {}),
        ({"model": ["gpt-*", "o3"]}, {"model": "gpt-6"}, {"model": "o3-mini"}),
        ({"model": "*"}, {"model": "x"}, {"model": None}),
        ({"session": SESSION[:8] + "*"}, {"sessions": (SESSION,)}, {"sessions": ("3c8",)}),
        ({"session": SESSION}, {"headers": [("X-Claude-Code-Session-Id", SESSION)]}, {}),
        ({"session": "/home/*/shop"}, {"sessions": ("id", "/home/anna/shop")}, {"sessions": ()}),
    ],
)
def test_a_matcher_tells_its_own_calls_from_others(match, theirs, others):
    assert found(matching(**match), **theirs) == "mine"
    assert found(matching(**match), **others) == "default"


@pytest.mark.parametrize("client", ["[::ffff:10.1.2.3]:80", "::ffff:10.1.2.3", "10.1.2.3"])
@pytest.mark.parametrize("network", ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:10.1.2.3"])
def test_an_ipv6_address_that_stands_for_one_of_ipv4_is_that_one(client, network):
    assert found(matching(client=network), client=client) == "mine"


def test_every_address_of_ipv6_is_in_its_widest_network():
    everybody = matching(client="::/0")

    assert found(everybody, client="[fd00::1]:80") == "mine"
    assert found(everybody, client="10.0.0.1:80") == "default"


@pytest.mark.parametrize("client", ["", "?", "localhost:80", "[", "1.2.3", "1.2.3.4.5:6", "\0"])
def test_what_is_no_address_is_in_no_network(client):
    assert address(client) == (0, 0)
    assert found(matching(client=["0.0.0.0/0", "::/0"]), client=client) == "default"


def test_the_zone_of_an_address_does_not_matter():
    assert found(matching(client="fe80::/10"), client="[fe80::1%eth0]:80") == "mine"


def test_of_a_repeated_header_any_value_will_do():
    asked = matching(header={"x-team": "payments"})

    assert found(asked, headers=[("x-team", "orders"), ("X-Team", "payments")]) == "mine"


@pytest.mark.parametrize("name", ["provider", "model", "key", "session", "client", "proxy_user"])
def test_a_header_is_not_taken_for_another_fact_of_its_name(name):
    asked = matching(**{name: "fp_0123456789ab" if name == "key" else "10.0.0.1"})

    assert found(asked, headers=[(name, "10.0.0.1"), (name, "fp_0123456789ab")]) == "default"


def test_several_matchers_must_all_hold():
    asked = matching(provider="openai", header={"x-team": "a", "x-env": "prod"})
    headers = [("x-team", "a"), ("x-env", "prod")]

    assert found(asked, provider="openai", headers=headers) == "mine"
    assert found(asked, provider="openai", headers=headers[:1]) == "default"
    assert found(asked, provider="xai", headers=headers) == "default"


def test_the_first_whose_matchers_hold_has_the_call():
    asked = rules(
        {"name": "a", "match": {"model": "gpt-*"}}, {"name": "b", "match": {"provider": "openai"}}
    )

    assert found(asked, provider="openai", model="gpt-6") == "a"
    assert found(asked, provider="openai", model="o3") == "b"


def test_a_namespace_without_matchers_is_found_by_no_rule():
    assert found(rules({"name": "a", "prefix": "a_"}), provider="openai") == "default"


def test_the_default_namespace_may_have_a_prefix():
    asked = rules({"name": "default", "prefix": "all__", "on_too_long": "skip"})

    namespace = asked.find(Caller())
    assert (namespace.name, namespace.prefix, namespace.on_too_long) == ("default", "all__", "skip")


class TestReserved:
    def reserved(self, who: Any) -> Rules:
        return rules(
            {"name": "a", "match": {"provider": "openai"}, "reserved": who},
            {"name": "b", "match": {"provider": "open*"}},
        )

    def test_a_reserved_namespace_is_for_those_who_logged_in(self):
        asked = self.reserved(True)

        assert found(asked, provider="openai", proxy_user="anybody") == "a"
        assert found(asked, provider="openai") == "b"

    def test_it_may_be_for_some_of_them(self):
        asked = self.reserved(["anna", "ci-*"])

        assert found(asked, provider="openai", proxy_user="ci-1") == "a"
        assert found(asked, provider="openai", proxy_user="ben") == "b"


def test_the_body_is_needed_only_if_a_rule_asks_for_it():
    plain = rules({"name": "a", "match": {"client": "::1", "header": {"session": "x"}}})
    asking = rules({"name": "a", "match": {"model": "*"}}, {"name": "b", "match": {"session": "x"}})
    defaults = rules({"name": "default", "prefix": "x"})

    assert (plain.needs_model, plain.needs_session) == (False, False)
    assert (asking.needs_model, asking.needs_session) == (True, True)
    assert (defaults.needs_model, defaults.needs_session) == (False, False)


FACTS = st.sampled_from(["a", "b", "*", "a*"])
MATCH = st.dictionaries(
    st.sampled_from(["provider", "model", "proxy_user", "session", "user_agent"]), FACTS, min_size=1
)
NAMESPACE = st.fixed_dictionaries(
    {"name": st.sampled_from("vwxyz") | st.just("default")},
    optional={"match": MATCH, "reserved": st.sampled_from([True, "a"])},
).filter(lambda one: one["name"] != "default" or "reserved" not in one)


@given(
    st.lists(NAMESPACE, unique_by=lambda one: one["name"]),
    st.fixed_dictionaries(
        {},
        optional={
            "provider": st.sampled_from("ab"),
            "model": st.sampled_from("ab"),
            "proxy_user": st.sampled_from("ab"),
            "sessions": st.lists(st.sampled_from("ab")),
        },
    ),
)
def test_an_explanation_is_of_what_is_found(namespaces, facts):
    asked = rules(*namespaces)

    taking = [one.namespace for one in asked.explain(Caller(**facts)) if one.takes]
    assert taking == [asked.find(Caller(**facts))]


class TestExplained:
    asked = rules(
        {"name": "a", "match": {"client": "10.0.0.0/8"}},
        {"name": "b", "match": {"header": {"X-Team": ["b", "bb"]}}},
        {"name": "c", "match": {"provider": "openai"}, "reserved": ["anna"]},
        {"name": "d"},
        {"name": "e", "match": {"provider": "openai"}},
        {"name": "f", "match": {"provider": "*"}},
        {"name": "g", "match": {"model": "x"}},
    )

    def explained(self, **facts: Any) -> list[tuple[str, bool, str]]:
        verdicts = self.asked.explain(Caller(**facts))
        return [(one.namespace.name, one.takes, one.why) for one in verdicts]

    def test_each_namespace_says_why_it_is_not_the_one(self):
        assert self.explained(client="127.0.0.1:80", provider="openai") == [
            ("a", False, "client is 127.0.0.1, not 10.0.0.0/8"),
            ("b", False, "header x-team is not known, not b or bb"),
            ("c", False, "reserved: proxy_user is not known, not anna"),
            ("d", False, "no rule leads here"),
            ("e", True, ""),
            ("f", False, "e comes before"),
            ("g", False, "model is not known, not x"),
            ("default", False, "e comes before"),
        ]

    def test_what_is_left_is_of_the_default_one(self):
        explained = self.explained(headers=[("x-team", "c"), ("x-team", "d")])

        assert explained[0] == ("a", False, "client is not known, not 10.0.0.0/8")
        assert explained[1] == ("b", False, "header x-team is c, d, not b or bb")
        assert explained[-1] == ("default", True, "")

    def test_a_default_one_with_matchers_is_told_once(self):
        asked = rules({"name": "default", "match": {"model": "x"}}, {"name": "z"})

        told = [(one.namespace.name, one.takes) for one in asked.explain(Caller(model="x"))]
        assert told == [("default", True), ("z", False)]
        assert found(asked) == "default"
