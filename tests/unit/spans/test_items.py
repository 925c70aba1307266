"""Manifests: items, numbers, edits."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.spans import edits, items, numbers

DIGESTS = st.binary(min_size=16, max_size=16)
INSERTS = st.lists(st.tuples(st.integers(0, 9), st.binary(min_size=1, max_size=9)), max_size=3)
ITEMS = st.one_of(
    st.binary(max_size=300).map(items.inline),
    st.tuples(DIGESTS, st.integers(0, 3)).map(lambda given: items.piece(*given)),
)


@given(st.lists(st.integers(0, 2**70)))
def test_numbers_come_back(values):
    assert numbers.read_numbers(numbers.numbers(values), 0)[0] == values


@given(st.integers(-(2**70), 2**70))
def test_signs_come_back(value):
    assert numbers.unsigned(numbers.signed(value)) == value


@given(st.lists(ITEMS), st.lists(ITEMS), st.data())
def test_an_edit_applied_to_its_base_is_the_manifest(base, new, data):
    pool = st.sampled_from(base + new) if base or new else st.nothing()
    wanted = data.draw(st.lists(pool)) if base or new else []
    assert edits.apply(edits.edit(wanted, base), base) == wanted


@given(st.lists(ITEMS), st.lists(ITEMS))
def test_an_edit_names_all_pieces_that_its_base_does_not(wanted, base):
    made = edits.edit(wanted, base)
    named = edits.references(edits.stored(made.hashes, b"steps"))
    assert edits.read_stored(edits.stored(*made)) == made
    assert named <= items.hashes(wanted)
    assert items.hashes(wanted) <= named | items.hashes(base)


def test_a_turn_that_adds_an_item_costs_that_item():
    base = [items.inline(b"%d" % n) for n in range(1000)]
    wanted = [*base[:990], items.inline(b"new"), *base[990:]]
    assert len(edits.edit(wanted, base).steps) < 20


def test_an_edit_of_another_base_is_refused():
    base = [items.inline(b"a"), items.inline(b"b")]
    with pytest.raises(IndexError, match="2 items from 0 of 1"):
        edits.apply(edits.edit(base, base), base[:1])


@given(st.binary(max_size=99))
def test_damaged_edits_raise_nothing_unexpected(data):
    with contextlib.suppress(IndexError):
        edits.references(data)
    with contextlib.suppress(IndexError, ValueError):
        edits.apply(edits.Edit(data[:16], data), [items.inline(b"a")])


@given(st.binary(max_size=60), st.data())
def test_what_is_cut_out_is_put_in_again(whole, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    inserts = tuple((a, whole[a:b]) for a, b in pairs)
    rest, done = b"", 0
    for a, b in pairs:
        rest, done = rest + whole[done:a], b
    rest += whole[done:]
    assert items.inserted(rest, inserts) == whole
    digest = bytes(16)
    item = items.piece(digest, 2, inserts)
    assert items.read_item(item[:1] + item[17:], 0, digest) == (item, len(item) - 16)
    assert items.join([item], {digest: rest}) == b", " + whole
