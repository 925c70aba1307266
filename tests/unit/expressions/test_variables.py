from pathlib import Path

from llmproxy_core.anomaly import finding
from llmproxy_core.expressions.variables import (
    AUTHOR,
    DESCRIBED,
    FAMILY,
    KIND,
    SAME,
    SEVERITY,
    VARIABLES,
)

DOCUMENTED = Path(__file__).parents[3] / "docs" / "expressions.md"


def test_every_variable_is_described_in_the_documents():
    text = DOCUMENTED.read_text()
    for name, (_, said) in DESCRIBED.items():
        assert f"| `{name}` |" in text
        assert said in text


def test_the_words_are_those_that_findings_have():
    assert FAMILY.words == finding.Family.__value__.__args__
    assert SEVERITY.words == finding.Severity.__value__.__args__
    assert AUTHOR.words == finding.Author.__value__.__args__
    assert KIND.words == finding.Kind.__value__.__args__


def test_the_names_of_opentelemetry_stand_for_ours():
    assert set(SAME.values()) <= set(DESCRIBED)
    assert not set(SAME) & set(DESCRIBED)


def test_no_variable_ends_like_a_method_or_a_sign():
    ends = {name.rpartition(".")[2] for name in VARIABLES}
    taken = {
        "true",
        "false",
        "null",
        "has",
        "size",
        "contains",
        "matches",
        "and",
        "or",
        "in",
        "not",
    }
    assert not ends & taken
