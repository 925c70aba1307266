"""What is remembered of documents has its limits, whatever was in them."""

import random
from uuid import UUID

from llmproxy_core.spans.items import inline
from llmproxy_core.spans.memory import LARGE, LIMIT, Manifest, Memory, Thread

SESSION = UUID(int=1)
chance = random.Random(1)


def manifest(*items: bytes, apart: bool = True, session: UUID = SESSION) -> Manifest:
    return Manifest(
        UUID(bytes=chance.randbytes(16)), session, [inline(item) for item in items], apart
    )


def test_a_large_document_is_no_model_but_may_follow_one() -> None:
    thread = Thread()
    large, small = manifest(b"x" * LARGE), manifest(b"x")

    assert thread.model("response", large) is None
    assert thread.model("response", small) is None
    assert thread.model("response", large) is small
    assert list(thread.models.values()) == [small]


def test_whole_bodies_in_memory_are_counted_in_bytes() -> None:
    memory = Memory()
    many = [manifest(b"x" * 4000, apart=False) for _ in range(LIMIT // 2000)]
    for one in many:
        memory.add(one)

    assert sum(memory.manifest(one.id) is not None for one in many) <= LIMIT // 4000
    assert memory.manifest(many[-1].id) is many[-1]


def test_what_is_forgotten_is_not_held_by_its_session() -> None:
    memory = Memory()
    held = []
    for number in range(40):
        session = UUID(int=number)
        held.append(manifest(b"x" * 2**20, apart=False, session=session))
        memory.thread(session).latest.append(held[-1])
        memory.add(held[-1])

    remembered = [one for one in held if one in memory.thread(one.session_id).latest]
    assert 0 < len(remembered) <= 32
