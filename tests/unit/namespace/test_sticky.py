from pathlib import Path

import pytest

from llmproxy_core.namespace.opening import Opening
from llmproxy_core.namespace.sticky import Sticky

BEGINS = Opening((b"f" * 16,), begins=True)
"""Two conversations that begin with the same words."""
FIRST = Opening((b"1" * 16, b"f" * 16))
OTHER = Opening((b"2" * 16, b"f" * 16))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prefixes"


def prefix(sticky: Sticky, opening: Opening, now: str) -> str:
    return sticky.prefix(opening, now, lambda: False)


@pytest.mark.parametrize("again", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("namespaces", [("pay__", "skp__"), ("pay__", ""), ("", "pay__")])
def test_conversations_of_two_namespaces_that_begin_alike_keep_their_prefixes(
    file, again, namespaces
):
    one, two = namespaces
    sticky = Sticky(file)
    for namespace in (one, two, one, two):
        assert prefix(sticky, BEGINS, namespace) == namespace

    sticky = Sticky(file) if again else sticky

    assert prefix(sticky, FIRST, one) == one
    assert prefix(sticky, OTHER, two) == two
    assert prefix(sticky, FIRST, two) == one
    assert sticky.known(OTHER, one) == two


def test_what_began_in_another_way_goes_on_in_it(file):
    sticky = Sticky(file)
    prefix(sticky, BEGINS, "")

    assert prefix(sticky, FIRST, "pay__") == ""
    assert prefix(sticky, FIRST, "pay__") == ""


def test_one_namespace_writes_one_line_a_conversation(file):
    sticky = Sticky(file)
    for _ in range(3):
        prefix(sticky, BEGINS, "pay__")

    assert file.read_bytes().count(b"\n") == 1
