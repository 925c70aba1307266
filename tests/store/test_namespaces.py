"""Rules of the table, their changes, and names that namespaces had before."""

import pytest

from llmproxy_core.config import MatchConfig, NamespaceConfig
from llmproxy_core.errors import StoreError
from llmproxy_core.store import audit, namespace_changes
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.file_rules import Clash, bring
from llmproxy_core.store.namespaces import PgConnection, Rule, Use, rules, spaces, uses
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_request, a_session

HOME = "/home/anna/.llmproxy"
PAY = Rule("payments", "pay__", {"header": {"x-team": ["payments"]}})
SHOP = Rule(
    "shop", "shop_", {"proxy_user": ["anna", "ci-*"]}, ["anna", "ci-*"], "refuse", True, "metadata"
)


@pytest.fixture
def connection(database: Database):
    with database.raw() as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def writer(database: Database):
    writer = Writer(database)
    yield writer
    writer.close()


def names(connection: PgConnection) -> list[str]:
    return [rule.name for rule in rules(connection)]


def add(connection: PgConnection, *wanted: Rule) -> None:
    for rule in wanted:
        namespace_changes.add(connection, rule, "anna")


def deeds(connection: PgConnection) -> list[tuple[str, str, str]]:
    """(actor, action, target), the oldest first."""
    found = audit.newest(connection)[::-1]
    return [(event.actor, event.action, event.target) for _, event in found]


def test_a_rule_is_read_as_it_was_added(connection):
    add(connection, PAY, SHOP, Rule("plain"))
    assert rules(connection) == [PAY, SHOP, Rule("plain")]
    assert deeds(connection) == [
        ("anna", "namespace add", name) for name in ("payments", "shop", "plain")
    ]
    assert all(verdict.broken_at is None for verdict in audit.verify(connection))


def test_a_rule_is_one_of_the_settings():
    told = NamespaceConfig(
        name="shop", prefix="shop_", match=MatchConfig(proxy_user=["anna", "ci-*"]),
        reserved=["anna", "ci-*"], on_too_long="refuse", plain_text=True,
        capture="metadata",
    )  # fmt: skip
    assert Rule.of(told) == SHOP
    assert Rule.of(NamespaceConfig(name="plain")) == Rule("plain")


def test_a_namespace_that_calls_have_named_gets_a_rule(connection, writer):
    ns_id = writer.namespace("payments")
    add(connection, PAY)
    assert [space.ns_id for space in spaces(connection) if space.source] == [ns_id]


def test_rules_are_tried_in_the_order_they_were_added_unless_placed_before_one(connection):
    add(connection, PAY, SHOP)
    namespace_changes.add(connection, Rule("first"), "anna", before="payments")
    assert names(connection) == ["first", "payments", "shop"]
    namespace_changes.change(connection, SHOP, "anna", before="payments")
    assert names(connection) == ["first", "shop", "payments"]
    with pytest.raises(StoreError, match="'nobody' has no rule"):
        namespace_changes.add(connection, Rule("other"), "anna", before="nobody")


def test_one_prefix_is_of_one_namespace(connection):
    add(connection, PAY)
    with pytest.raises(StoreError, match="'pay__' is the prefix of payments, in the database"):
        add(connection, Rule("other", "pay__"))
    add(connection, Rule("one"), Rule("two"))  # none is no prefix
    with pytest.raises(StoreError, match="payments has a rule already, in the database"):
        add(connection, PAY)


def test_a_rule_is_changed_and_the_audit_has_both(connection):
    add(connection, PAY)
    namespace_changes.change(connection, Rule("payments", "p_"), "anna")
    assert rules(connection) == [Rule("payments", "p_")]
    [(_, event), *_] = audit.newest(connection)
    assert event.action == "namespace change"
    assert '"before":{"match":{"header":{"x-team":["payments"]}}' in event.detail
    with pytest.raises(StoreError, match="There is no namespace 'nobody'"):
        namespace_changes.change(connection, Rule("nobody"), "anna")


def test_a_namespace_without_its_rule_keeps_its_calls(connection, writer):
    add(connection, PAY)
    ns_id = writer.namespace("payments")
    writer.write(Batch([a_request(ns_id=ns_id)], sessions=[a_session(ns_id=ns_id, requests=1)]))
    assert namespace_changes.remove(connection, "payments", "anna").rule == PAY
    assert rules(connection) == []
    assert uses(connection) == {ns_id: Use(1, AT)}
    with pytest.raises(StoreError, match="payments has no rule"):
        namespace_changes.remove(connection, "payments", "anna")
    add(connection, PAY)
    assert writer.namespace("payments") == ns_id


def test_records_with_a_former_name_go_where_it_went(connection, database, writer):
    add(connection, PAY)
    ns_id = writer.namespace("payments")
    namespace_changes.rename(connection, "payments", "treasury", "anna")
    namespace_changes.rename(connection, "treasury", "money", "anna")
    fresh = Writer(database)
    found = [fresh.namespace(name) for name in ("payments", "treasury", "money")]
    fresh.close()
    assert found == [ns_id] * 3
    assert [rule.name for rule in rules(connection)] == ["money"]
    assert deeds(connection)[-1] == ("anna", "namespace rename", "money")


def test_a_former_name_is_nobody_else_s(connection, writer):
    add(connection, PAY)
    writer.namespace("shop")
    namespace_changes.rename(connection, "payments", "money", "anna")
    with pytest.raises(StoreError, match="payments was the name of money"):
        add(connection, PAY)
    with pytest.raises(StoreError, match="payments was the name of money"):
        namespace_changes.rename(connection, "shop", "payments", "anna")
    with pytest.raises(StoreError, match="There is a namespace money already"):
        namespace_changes.rename(connection, "shop", "money", "anna")


def test_a_namespace_may_have_its_name_back(connection):
    add(connection, PAY)
    namespace_changes.rename(connection, "payments", "money", "anna")
    namespace_changes.rename(connection, "money", "payments", "anna")
    [space] = [space for space in spaces(connection) if space.source]
    assert (space.name, space.former_names) == ("payments", ["money"])


def test_the_default_namespace_keeps_its_name(connection):
    with pytest.raises(StoreError, match="default is where calls go"):
        namespace_changes.rename(connection, "default", "mine", "anna")
    with pytest.raises(StoreError, match="There is no namespace 'nobody'"):
        namespace_changes.rename(connection, "nobody", "mine", "anna")


# the rules of mitm.toml ---------------------------------------------------------------------


def shown(connection: PgConnection) -> list[tuple[str, str | None]]:
    """(name, prefix) of the rules of files."""
    return [(one.name, one.prefix) for one in spaces(connection) if one.source == "mitm.toml"]


def test_the_rules_of_a_file_are_shown_and_are_none_of_the_table_s(connection):
    assert bring(connection, HOME, [PAY, SHOP]) == []
    assert shown(connection) == [("payments", "pay__"), ("shop", "shop_")]
    assert rules(connection) == []
    told = len(deeds(connection))
    assert bring(connection, HOME, [PAY, SHOP]) == []
    assert len(deeds(connection)) == told == 2


def test_what_is_not_in_the_file_any_more_loses_its_rule(connection, writer):
    bring(connection, HOME, [PAY, SHOP])
    ns_id = writer.namespace("payments")
    bring(connection, HOME, [SHOP])
    assert shown(connection) == [("shop", "shop_")]
    assert writer.namespace("payments") == ns_id


def test_another_home_s_rules_are_left_alone(connection):
    bring(connection, HOME, [PAY])
    bring(connection, "/srv/llmproxy", [SHOP])
    assert shown(connection) == [("payments", "pay__"), ("shop", "shop_")]
    bring(connection, "/srv/llmproxy", [PAY])
    bring(connection, "/srv/llmproxy", [])
    assert shown(connection) == [("payments", "pay__")]


def test_two_namespaces_may_exchange_their_prefixes(connection):
    bring(connection, HOME, [Rule("a", "x_"), Rule("b", "y_")])
    assert bring(connection, HOME, [Rule("a", "y_"), Rule("b", "x_")]) == []
    assert shown(connection) == [("a", "y_"), ("b", "x_")]


def test_where_file_and_table_clash_the_file_counts(connection):
    add(connection, PAY, Rule("shop", "shop_"))
    clashes = bring(connection, HOME, [Rule("payments", "p_"), Rule("market", "shop_")])
    assert clashes == [
        Clash("rule", "payments", "payments"),
        Clash("prefix", "market", "shop", "shop_"),
    ]
    assert shown(connection) == [("payments", "p_"), ("market", "shop_")]
    assert rules(connection) == [Rule("shop")]
    assert bring(connection, HOME, [Rule("payments", "p_"), Rule("market", "shop_")]) == []


def test_a_clash_is_an_event_and_a_sentence():
    event = Clash("prefix", "market", "shop", "shop_").event()
    assert (event.kind, event.data["loser"], event.ns_id) == ("namespace_clash", "shop", 1)
    assert "the prefix 'shop_', which shop had" in str(Clash("prefix", "market", "shop", "shop_"))


def test_a_file_may_go_on_with_a_former_name(connection):
    bring(connection, HOME, [PAY])
    namespace_changes.rename(connection, "payments", "money", "anna")
    assert bring(connection, HOME, [PAY]) == []
    assert shown(connection) == [("money", "pay__")]
    assert bring(connection, HOME, [PAY, Rule("money")]) == [Clash("name", "payments", "money")]


def test_a_rule_of_a_file_is_changed_there(connection):
    bring(connection, HOME, [PAY])
    with pytest.raises(StoreError, match=f"in the mitm.toml of {HOME}"):
        add(connection, PAY)
    with pytest.raises(StoreError, match="Change it there"):
        namespace_changes.change(connection, PAY, "anna")
    with pytest.raises(StoreError, match=r"'pay__' is the prefix of payments, in the mitm\.toml"):
        add(connection, Rule("other", "pay__"))
