import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.names import NAME, PREFIX, Naming, client_name
from llmproxy_core.namespace.outgoing import prefix_request

LONG = b"look_up_" + b"a_very_long_name_" * 4
NAMES = st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) < 200)
PREFIXES = st.from_regex(PREFIX, fullmatch=True)


@given(
    prefix=PREFIXES, names=st.lists(NAMES, unique=True, max_size=20), longest=st.integers(48, 128)
)
def test_names_come_back_as_they_were_and_no_two_are_sent_as_one(
    prefix: str, names: list[bytes], longest: int
) -> None:
    naming = Naming(prefix, longest)
    sent = [naming.send(name) for name in names]
    told = [(name, one) for name, one in zip(names, sent, strict=True) if one is not None]
    assert len({one for _, one in told}) == len(told)
    for name, one in told:
        assert one.startswith(prefix.encode())
        assert len(one) == min(longest, len(prefix) + len(name))
        assert naming.restore(one) == name
        assert client_name(one.decode(), prefix, naming.shortened) == name.decode()
        assert Naming(prefix, longest, shortened=naming.shortened).restore(one) == name


@given(name=NAMES, others=st.lists(NAMES, max_size=5))
def test_a_name_is_sent_alike_on_every_turn_whatever_else_is_offered(
    name: bytes, others: list[bytes]
) -> None:
    one, two = Naming("pay__"), Naming("pay__")
    for other in others:
        two.send(other)
    assert two.send(name) in (one.send(name), None)
    assert one.send(name) == Naming("pay__").send(name)


def test_a_shortened_name_is_the_same_on_every_machine() -> None:
    naming = Naming("pay__", 64)
    sent = naming.send(LONG)
    assert sent == b"pay__look_up_a_very_long_name_a_very_long_name_a_ve_wzcfcr3ak4zt"
    assert naming.shortened == {sent.decode(): LONG.decode()}


def test_a_name_too_long_may_stay() -> None:
    naming = Naming("pay__", 64, "skip")
    assert naming.send(LONG) == LONG
    assert naming.restore(LONG) == LONG
    assert naming.shortened == {}


def test_one_that_stays_and_has_the_prefix_comes_back_with_it() -> None:
    naming = Naming("pay__", 64, "skip")
    assert naming.send(b"pay__" + LONG) == b"pay__" + LONG
    assert naming.restore(b"pay__" + LONG) == b"pay__" + LONG
    assert (
        client_name(f"pay__{LONG.decode()}", "pay__", naming.shortened) == f"pay__{LONG.decode()}"
    )


@pytest.mark.parametrize(
    ("called", "heard"),
    [
        (b"pay__find", b"find"),
        (b"find", b"find"),
        (b"pay__pay__find", b"pay__find"),
        (b"pay__other", b"other"),
        (b"pay__pay__other", b"pay__other"),
        (b"other", b"other"),
        (b"PAY__find", b"PAY__find"),
        (b"pay__", b"pay__"),
        (b"pay_", b"pay_"),
        (b"", b""),
        (b"pay__caf\xc3\xa9", b"caf\xc3\xa9"),
        (b"pay__\xff", b"\xff"),
    ],
)
def test_whatever_a_model_calls_at_most_one_prefix_is_taken_off(
    called: bytes, heard: bytes
) -> None:
    naming = Naming("pay__")
    naming.send(b"find")
    assert naming.restore(called) == heard


def test_tools_with_and_without_the_prefix_are_told_apart() -> None:
    naming = Naming("pay__")
    assert [naming.send(name) for name in (b"find", b"pay__find")] == [
        b"pay__find",
        b"pay__pay__find",
    ]
    assert naming.restore(b"pay__find") == b"find"
    assert naming.restore(b"pay__pay__find") == b"pay__find"


def test_two_names_that_would_be_one_are_not_sent() -> None:
    naming = Naming("pay__", 64, "skip")
    stays = b"pay__" + b"n" * 57
    assert naming.send(stays) == stays
    assert naming.send(stays.removeprefix(b"pay__")) is None
    assert naming.restore(stays) == stays


def test_a_tool_that_has_the_prefix_already_gets_another() -> None:
    naming = Naming("pay__")
    assert naming.send(b"pay__find") == b"pay__pay__find"
    assert naming.restore(b"pay__pay__find") == b"pay__find"
    assert naming.restore(b"pay__find") == b"pay__find"


def test_the_providers_own_tools_keep_their_names_but_for_those_of_the_client() -> None:
    naming = Naming("pay__")
    naming.declare({b"find"}, {b"pay__search", b"find"})
    assert naming.owned == {b"pay__search"}
    assert naming.restore(b"pay__search") == b"pay__search"
    naming.declare({b"pay__search"}, set())
    assert naming.owned == frozenset()


@given(cut=st.integers(1, 63))
def test_what_may_become_a_sent_name_is_known_by_its_beginning(cut: int) -> None:
    naming = Naming("pay__", 64)
    naming.send(b"find")
    sent = naming.send(LONG)
    assert sent
    assert naming.may_begin(sent[:cut])
    assert not naming.may_begin(sent[1:])
    assert not naming.may_begin(b"")
    assert naming.may_begin(b"pay__fi") is False
    naming.send(LONG + b"2")
    assert naming.may_begin(sent[:cut])


def test_prefixes_begin_with_a_letter_and_have_no_more_than_32_characters() -> None:
    for prefix in ("a", "pay__", "A-1_", "a" * 32):
        assert PREFIX.fullmatch(prefix)
    for prefix in ("", "_a", "1a", "-a", "a.b", "a b", "\u00e4", "a" * 33, "a\n"):
        assert not PREFIX.fullmatch(prefix)


def chat(*tools: str, called: str = "") -> bytes:
    offered = ",".join(f'{{"type":"function","function":{{"name":"{tool}"}}}}' for tool in tools)
    call = f'{{"role":"assistant","tool_calls":[{{"type":"function","function":{{"name":"{called}"}}}}]}}'
    return f'{{"tools":[{offered}],"messages":[{call if called else ""}]}}'.encode()


@pytest.mark.parametrize(
    ("body", "reason", "about"),
    [
        (chat("find", "caf\u00e9"), "strange_name", "caf\u00e9"),
        (chat("find", "a b"), "strange_name", "a b"),
        (chat("find", ""), "strange_name", ""),
        (chat("find", "n" * 1025), "strange_name", "n" * 1025),
        (chat("find", "get\\u005fit"), "strange_name", "get\\u005fit"),
        (chat("find")[:-1], "unreadable", ""),
        (b"\xff\xfe{\0}\0", "unreadable", ""),
        (b"hello", "unreadable", ""),
    ],
)
def test_a_request_that_cannot_be_changed_as_a_whole_is_left_alone_as_a_whole(
    body: bytes, reason: str, about: str
) -> None:
    result = prefix_request("openai.chat", body, Naming("pay__"))
    assert result.body is body
    assert (result.reason, result.about) == (reason, about)


def test_one_with_two_names_that_would_be_one_as_well() -> None:
    body = chat("pay__" + "n" * 57, "n" * 57)
    result = prefix_request("openai.chat", body, Naming("pay__", 64, "skip"))
    assert result.body is body
    assert (result.reason, result.about) == ("collision", "n" * 57)


@pytest.mark.parametrize("called", ["caf\u00e9", "a b", "get\\u005fit"])
def test_a_strange_name_in_the_history_keeps_nothing_from_being_sent(called: str) -> None:
    result = prefix_request("openai.chat", chat("find", called=called), Naming("pay__"))
    assert (result.body, result.reason) == (chat("pay__find", called=called), "")


def test_tools_of_one_name_are_sent_under_one_name() -> None:
    naming = Naming("pay__")
    sent = prefix_request("openai.chat", chat("find", "find", called="find"), naming)
    assert sent.body == chat("pay__find", "pay__find", called="pay__find")
    assert naming.pairs() == [("find", "pay__find")]


@pytest.mark.parametrize("name", ["a.b", "a/b", "a:b", "-a", "1"])
def test_what_some_providers_take_in_names_is_sent_as_it_is(name: str) -> None:
    sent = prefix_request("openai.chat", chat(name), Naming("pay__"))
    assert sent.body == chat(f"pay__{name}")


def test_where_names_too_long_are_refused_the_first_one_is_told() -> None:
    naming = Naming("pay__", 64, "refuse")
    body = chat("find", LONG.decode())
    result = prefix_request("openai.chat", body, naming)
    assert result.body is body
    assert (result.reason, result.about) == ("too_long", LONG.decode())


def test_a_request_without_names_is_the_same_object() -> None:
    for body in (b'{"messages": []}', chat(), b"", b" \n", b"null", b"[]", b'"name"'):
        assert prefix_request("openai.chat", body, Naming("pay__")).body is body


def test_the_hash_has_only_what_every_provider_takes() -> None:
    sent = Naming("pay__", 64).send(LONG)
    assert sent
    assert re.fullmatch(rb"[a-z2-7]{12}", sent[-12:])
