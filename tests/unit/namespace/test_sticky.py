import os
import time
from pathlib import Path

import pytest

from llmproxy_core.namespace import sticky as module
from llmproxy_core.namespace.opening import Opening
from llmproxy_core.namespace.sticky import DAY, DAYS, Begun, Sticky

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


def key(number: int) -> bytes:
    return number.to_bytes(16)


def later(number: int) -> Opening:
    """A conversation that has begun, of which the first turn was not seen."""
    return Opening((key(number), key(number + 1000)))


def test_the_first_turn_decides_anew_and_later_ones_stay(file):
    sticky = Sticky(file)
    for now in ("pay__", "", "new__"):
        assert prefix(sticky, BEGINS, now) == now
        assert prefix(sticky, FIRST, now) in (now, "pay__")
    assert prefix(sticky, FIRST, "other__") == "pay__"


def test_a_conversation_never_seen_before_takes_what_is_in_force_and_keeps_it(file):
    sticky = Sticky(file)
    assert prefix(sticky, later(1), "pay__") == "pay__"
    assert prefix(Sticky(file), later(1), "") == "pay__"


def test_one_never_seen_before_that_has_signatures_began_without(file):
    sticky = Sticky(file)
    assert sticky.prefix(later(1), "pay__", lambda: True) == ""
    assert prefix(Sticky(file), later(1), "pay__") == ""


def test_what_came_before_at_the_provider_is_known_by_its_id_alone(file):
    sticky = Sticky(file)
    before = Opening((key(7),), elsewhere=True)
    assert prefix(sticky, before, "pay__") == ""
    assert not file.exists()

    sticky.put(key(7), Begun("pay__"))

    assert prefix(sticky, before, "") == "pay__"


def test_names_that_were_shortened_are_kept_for_later_answers(file):
    shortened = {"pay__look_up_x": "look_up_\u00fc \n"}
    Sticky(file).put(key(1), Begun("pay__", shortened))

    begun = Sticky(file).get(key(1))

    assert begun == Begun("pay__", shortened)
    assert begun.naming.restore(b"pay__look_up_x") == "look_up_\u00fc \n".encode()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_that_was_cut_off_by_a_crash_takes_no_other_with_it(file, cut):
    sticky = Sticky(file)
    for number in range(3):
        sticky.put(key(number), Begun("pay__"))
    file.write_bytes(file.read_bytes()[:-cut])

    sticky = Sticky(file)
    kept = [number for number in range(3) if sticky.get(key(number))]
    sticky.put(key(9), Begun("new__"))

    assert kept[:1] == [0]
    assert 2 not in kept or cut == 1
    sticky = Sticky(file)
    assert sticky.get(key(9)) == Begun("new__")
    assert [number for number in range(3) if sticky.get(key(number))] == kept


def test_lines_that_say_nothing_are_passed_over(file):
    Sticky(file).put(key(1), Begun("pay__"))
    day = int(time.time() // DAY)
    junk = [b"", b" ", b"zz 1 pay__ ", b"00 x pay__ ", b"00 1", b"\xff\xfe", b"0" * 10_000]
    junk += [b"00 %d \xff " % day, b"00 %d p [1]" % day, b"00 %d p {" % day, b"9" * 5000 + b" 1 p "]
    file.write_bytes(b"\n".join([*junk, file.read_bytes(), *junk]))

    assert Sticky(file).get(key(1)) == Begun("pay__")


def test_what_is_old_is_dropped_when_a_proxy_starts(file, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - DAYS * DAY)
    old = Sticky(file)
    for number in range(1500):
        old.put(key(number), Begun("pay__"))
    monkeypatch.setattr(time, "time", lambda: now - DAY)
    old.put(key(5000), Begun("pay__"))
    monkeypatch.undo()

    sticky = Sticky(file)

    assert sticky.get(key(1)) is None
    assert sticky.get(key(5000)) == Begun("pay__")
    assert file.read_bytes().count(b"\n") == 1
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_two_proxies_of_one_home_write_into_one_file(file):
    one, two = Sticky(file), Sticky(file)
    for number in range(0, 100, 2):
        one.put(key(number), Begun("one__"))
        two.put(key(number + 1), Begun("two__"))

    both = Sticky(file)

    assert [both.get(key(number)) for number in range(4)] == [Begun("one__"), Begun("two__")] * 2
    assert both.get(key(99)) == Begun("two__")


def test_one_goes_on_in_the_file_that_another_has_written_anew(file):
    one = Sticky(file)
    for number in range(1500):
        one.put(key(1), Begun(f"p{number}__"))
    Sticky(file)
    assert file.read_bytes().count(b"\n") == 1

    one.put(key(2), Begun("pay__"))

    assert Sticky(file).get(key(2)) == Begun("pay__")


def test_only_the_user_may_read_it(file):
    sticky = Sticky(file)
    for number in range(1500):
        sticky.put(key(1), Begun(f"p{number}__"))
    assert file.stat().st_mode & 0o777 == 0o600
    Sticky(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_place_to_write_it_is_known_as_long_as_the_proxy_runs(tmp_path):
    for file in (None, tmp_path / "missing" / "prefixes", tmp_path):
        sticky = Sticky(file)
        prefix(sticky, BEGINS, "pay__")
        assert prefix(sticky, FIRST, "") == "pay__"
        assert prefix(Sticky(file), FIRST, "") == ""


def test_a_link_in_its_place_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"")
    (tmp_path / "prefixes").symlink_to(target)
    Sticky(tmp_path / "prefixes").put(key(1), Begun("pay__"))
    assert target.read_bytes() == b""


def test_the_latest_conversations_are_remembered_and_those_that_go_on(file, monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    sticky = Sticky(None)
    for number in range(3):
        sticky.put(key(number), Begun("pay__"))
    assert sticky.get(key(0))
    sticky.put(key(3), Begun("pay__"))
    assert [number for number in range(4) if sticky.get(key(number))] == [0, 2, 3]


def test_a_closed_one_opens_its_file_again(file):
    sticky = Sticky(file)
    sticky.put(key(1), Begun("pay__"))
    before = len(os.listdir("/proc/self/fd"))
    sticky.close()
    sticky.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1
    sticky.put(key(2), Begun("pay__"))
    sticky.close()
    assert Sticky(file).get(key(2)) == Begun("pay__")
