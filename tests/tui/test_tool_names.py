"""Prefixes and what became of them, in words."""

import re
from pathlib import Path

from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.tui import tool_names
from tests.tui import demo

DOCS = Path(__file__).parents[2] / "docs" / "namespaces.md"


def test_every_reason_that_is_documented_has_words() -> None:
    table = DOCS.read_text().partition("## Why names were left alone")[2].partition("\n## ")[0]
    reasons = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    assert len(reasons) > 5
    assert reasons <= tool_names.REASONS.keys()


def test_the_default_namespace_says_nothing_where_nothing_was_done() -> None:
    assert tool_names.sentence(demo.flow(1)) == ""
    assert tool_names.sentence(demo.flow(1, namespace="shop")) == "Namespace shop"


def test_a_prefix_that_some_names_have_not_is_told() -> None:
    flow = demo.flow(1, namespace="shop", namespace_prefix="s_", left_alone="too_long")
    assert tool_names.sentence(flow) == (
        "Namespace shop · prefix s_ · not before all names: a tool's name has no room for the "
        "prefix"
    )
    odd = demo.flow(1, left_alone="new reason\x1b[31m")
    assert tool_names.sentence(odd) == "Namespace default · names of tools left alone: new reason"


def test_both_names_are_told_only_where_they_differ() -> None:
    names = ClientNames("s_", {"s_short_h": "quite_long"})
    assert tool_names.both("s_find", names) == "find (sent as s_find)"
    assert tool_names.both("s_short_h", names) == "quite_long (sent as s_short_h)"
    assert tool_names.both("web_search", names) == "web_search"
