"""Rules that are moved in their order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.errors import StoreError
from llmproxy_core.store import transformation_changes, transformation_order, transformations
from llmproxy_core.store.database import Database
from llmproxy_core.store.transformation_order import MOST, renumbered
from llmproxy_core.store.transformations import StoredTransformation, checked

NOW = datetime(2026, 3, 14, tzinfo=UTC)
LOGIC = [{"op": "clamp", "parameter": "max_tokens", "max": 100}]


def rule(name: str, order: int, origin: str = "database") -> StoredTransformation:
    return StoredTransformation(
        name, "true", LOGIC, order, True, 0, None, origin, None, NOW, "mira", NOW, "mira"
    )


def moved(rules: list[StoredTransformation], name: str, by: int) -> list[StoredTransformation]:
    changed = {one.name: one for one in renumbered(rules, name, by)}
    return sorted(
        (changed.get(one.name, one) for one in rules), key=lambda one: (one.order, one.name)
    )


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8), st.data())
def test_a_rule_goes_where_it_is_moved_and_the_others_keep_their_order(
    orders: list[int], data: st.DataObject
) -> None:
    rules = [rule(f"r{number}", order) for number, order in enumerate(sorted(orders))]
    at = data.draw(st.integers(0, len(rules) - 1))
    by = data.draw(st.integers(-9, 9))

    found = [one.name for one in moved(rules, f"r{at}", by)]

    names = [one.name for one in rules if one.name != f"r{at}"]
    names.insert(max(0, min(len(rules) - 1, at + by)), f"r{at}")
    assert found == names


def test_it_gets_a_number_between_its_neighbours() -> None:
    rules = [rule("a", 10), rule("b", 20), rule("c", 30)]
    assert [(one.name, one.order) for one in renumbered(rules, "c", -1)] == [("c", 15)]
    assert [(one.name, one.order) for one in renumbered(rules, "c", -2)] == [("c", 9)]
    assert [(one.name, one.order) for one in renumbered(rules, "a", 2)] == [("a", 31)]
    assert list(renumbered(rules, "a", -1)) == []


def test_those_of_a_file_stay_where_they_are() -> None:
    rules = [rule("a", 0, "mitm.toml"), rule("b", 0), rule("c", 0, "mitm.toml")]
    assert [one.name for one in moved(rules, "b", -1)] == ["b", "a", "c"]
    with pytest.raises(StoreError, match=r"a is in a mitm\.toml\. Change its order there\."):
        list(renumbered(rules, "a", 1))
    with pytest.raises(StoreError, match=r"c is in a mitm\.toml"):
        list(renumbered([*rules, rule("d", 0)], "d", -1))


def test_numbers_have_an_end() -> None:
    with pytest.raises(StoreError, match="1,000,000"):
        list(renumbered([rule("a", 0), replace(rule("b", 0), order=MOST)], "a", 1))


def test_a_move_is_one_audit_event(database: Database) -> None:
    with database.raw() as connection:
        for name in ("a", "b"):
            table = {"name": name, "when": "true", "logic": LOGIC}
            transformation_changes.add(connection, checked(table), "mira")
        assert transformation_order.move(connection, "b", -1, "tom")
        assert not transformation_order.move(connection, "b", -1, "tom")
        found = transformations.transformations(connection)
        assert [(one.name, one.updated_by) for one in found] == [("b", "tom"), ("a", "mira")]
        said = "SELECT action, actor, detail::jsonb->'order' FROM audit_events ORDER BY seq DESC LIMIT 1"
        row = connection.execute(said).fetchone()
        assert row == ("transformation order", "tom", {"b": {"before": 0, "now": -1}})
        with pytest.raises(StoreError, match="There is no transformation 'x'"):
            transformation_order.move(connection, "x", 1, "tom")
