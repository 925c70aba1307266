"""Within a JSON string, only the bytes change that say something else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.transformations import strings
from llmproxy_core.transformations.nodes import Node

SAID = st.text(st.sampled_from('ab"\\\n\u00e9\u20ac\U0001f600\x00/'), max_size=20)


def of(said: str, *, ascii_only: bool) -> Node:
    raw = json.dumps(said, ensure_ascii=ascii_only).encode()
    return Node(raw, 0, len(raw))


@given(SAID, st.booleans(), st.text(max_size=4))
def test_rewriting_is_replacing(said, ascii_only, new):
    node, words = of(said, ascii_only=ascii_only), said.encode()
    changes = [(n, n + 1, new.encode()) for n, byte in enumerate(words) if byte == ord("a")]
    assert strings.utf8(node) == words
    strings.rewrite(node, changes)

    assert node.said() == said.replace("a", new)
    assert len(node.edits()) == len(changes)


@given(SAID, st.booleans())
def test_what_is_added_is_added_once(said, ascii_only):
    node = of(said, ascii_only=ascii_only)
    for _ in range(2):
        strings.append(node, "end")
        strings.prepend(node, "start")

    assert node.said() == f"start\n\n{said}\n\nend" if said else node.said() == "start\n\nend"


def test_a_text_that_is_no_utf8_is_left_alone():
    assert strings.utf8(Node(b'"\xff\\n"', 0, 5)) == b""


def test_lone_surrogates_match_nothing():
    assert b"\xed" in strings.utf8(of("\ud800", ascii_only=True))
