import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.reading.shell import commands


def words(text: str) -> list[list[str]]:
    return [command.words for command in commands(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b  c", [["a", "b", "c"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a;b&&c||d|e&f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("r''m -r\"f\" /", [["rm", "-rf", "/"]]),
        ("a # b\nc", [["a"], ["c"]]),
        ("a#b", [["a#b"]]),
        ("a $(b `c` d) e", [["a", "$(b `c` d)", "e"], ["b", "`c`", "d"], ["c"]]),
        ('a "$(b "c d")"', [["a", '$(b "c d")'], ["b", "c d"]]),
        ("a <(b) ${c} $d", [["a", "<(b)", "${c}", "$d"], ["b"]]),
        ("$'\\x72\\155' a", [["rm", "a"]]),
        ("don't stop", [["don't", "stop"]]),
        ("a \\\n b", [["a", "b"]]),
        ("type C:\\Users\\x", [["type", "C:\\Users\\x"]]),
    ],
)
def test_a_text_is_split_as_a_shell_would(text, expected):
    assert words(text) == expected


def test_redirections_are_no_words():
    [command] = commands("a > b 2>&1 >>c < d")
    assert command.words == ["a"]
    assert command.redirects == [(">", "b"), ("2>&", "1"), (">>", "c"), ("<", "d")]


def test_pipes_join_commands():
    first, second, third = commands("a | b | c")
    assert second.source is first
    assert second.sink is third


def test_a_here_document_belongs_to_its_command():
    first, second, third = commands("cat <<'E' | sh\nrm x\nE\nls")
    assert first.redirects == [("<<", "rm x")]
    assert second.source is first
    assert third.words == ["ls"]


@given(st.text("ab \"'\\$`()|&;<>{}#\n", max_size=80))
def test_any_text_is_split_and_each_command_lies_in_it(text):
    for command in commands(text):
        assert 0 <= command.start <= command.end <= len(text)


@given(st.lists(st.text(st.characters(exclude_characters="\x00"), min_size=1), min_size=1))
def test_quoted_words_come_back(parts):
    quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in parts)
    assert words(quoted) == [parts]
