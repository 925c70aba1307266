"""A session as lines, whatever its shape."""

import time

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store import tree
from llmproxy_core.store.overview import SessionTree
from llmproxy_core.store.tree import TreeNode
from llmproxy_core.tui.session_tree import ASIDES, Heading, TreeLines, TurnLine
from tests.tui import family

RELATIONS = ("root", "append", "append", "append", "retry", "branch", "compaction", "subagent")


def lines_of(nodes: list[TreeNode]) -> TreeLines:
    tree._number(nodes)
    return TreeLines(SessionTree(family.session(), nodes, tree.branches(nodes), {}))


@st.composite
def sessions(draw: st.DrawFn) -> list[TreeNode]:
    made: list[TreeNode] = []
    for number in range(draw(st.integers(1, 40))):
        relation = draw(st.sampled_from(RELATIONS)) if number else "root"
        parent = None if relation == "root" else draw(st.integers(-1, number - 1))
        if relation != "root" and draw(st.integers(0, 9)) == 0:
            parent = draw(st.integers(0, 45))  # imported: later ones, itself, unknown ones
        branch = draw(st.sampled_from((0, 0, 0, None)))
        made.append(
            family.node(number, None if parent == -1 else parent, relation=relation, branch=branch)
        )
    return made


@given(sessions())
def test_every_call_has_one_line_and_the_lines_of_a_branch_are_in_order(nodes):
    lines = lines_of(nodes).visible(())
    shown = [line.node for line in lines if isinstance(line, TurnLine)]

    assert sorted(node.id for node in shown) == [node.id for node in nodes]
    for branch in {node.branch for node in nodes}:
        same = [node.id for node in shown if node.branch == branch]
        assert same == sorted(same)


@given(sessions(), st.data())
def test_folding_hides_what_is_inside_and_nothing_else(nodes, data):
    lines = lines_of(nodes)
    whole = lines.visible(())
    headings = [line.number for line in whole if isinstance(line, Heading)]
    if not headings:
        return
    folded = data.draw(st.sampled_from(headings))
    left = {line.key for line in lines.visible({folded})}
    gone = [line for line in whole if line.key not in left]

    assert ("branch", folded) in left
    for line in gone:
        number = lines.branch_of(line)
        while number != folded:
            above = lines.above(number)
            assert above is not None
            number = above


def test_a_session_of_one_branch_has_no_headings():
    lines = lines_of([family.node(0), family.node(1, 0), family.node(2, 1)])
    assert [line.key for line in lines.visible(())] == [family.id_of(n) for n in range(3)]


def test_a_sub_agent_hangs_below_the_turn_that_called_it():
    lines = lines_of(
        [
            family.node(0),
            family.node(1, 0, relation="subagent", parent_call="toolu_1"),
            family.node(2, 1),
            family.node(3, 0),
        ]
    ).visible(())
    assert [(type(line).__name__, line.depth) for line in lines] == [
        ("Heading", 0),
        ("TurnLine", 1),
        ("Heading", 1),
        ("TurnLine", 2),
        ("TurnLine", 2),
        ("TurnLine", 1),
    ]


def test_a_compacted_conversation_goes_on_at_the_same_level():
    nodes = [family.node(0), family.node(1, 0), family.node(2, 1, relation="compaction")]
    headings = [line for line in lines_of(nodes).visible(()) if isinstance(line, Heading)]
    assert [(heading.relation, heading.depth) for heading in headings] == [
        ("root", 0),
        ("compaction", 0),
    ]


def test_calls_beside_the_conversation_are_gathered_at_the_end():
    nodes = [family.node(0), family.node(1, branch=None), family.node(2, 0)]
    lines = lines_of(nodes)
    last = lines.visible({ASIDES})[-1]
    assert isinstance(last, Heading)
    assert (last.number, last.sums.requests) == (ASIDES, 1)


def test_a_branch_tells_its_own_sums_only():
    nodes = [family.node(0), family.node(1, 0), family.node(2, 1), family.node(3, 1)]
    first, second = (line for line in lines_of(nodes).visible(()) if isinstance(line, Heading))
    assert (first.sums.requests, second.sums.requests) == (3, 1)
    assert second.sums.input_tokens == nodes[3].input_tokens


def test_the_branches_that_leave_one_branch_are_siblings():
    nodes = [family.node(0), family.node(1, 0), family.node(2, 1)]
    nodes += [family.node(n, 1, relation="branch") for n in (3, 4)]
    lines = lines_of(nodes)
    assert lines.siblings(1) == lines.siblings(2) == [1, 2]
    assert lines.above(1) == 0


def test_thousands_of_turns_are_laid_out_at_once():
    chain = [family.node(n, n - 1 if n else None) for n in range(20_000)]
    lines = lines_of([*chain, family.node(20_000, 5)])
    began = time.process_time()
    assert len(lines.visible(())) == 20_003
    assert time.process_time() - began < 5
