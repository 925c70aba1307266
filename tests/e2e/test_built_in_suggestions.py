"""What is suggested from the data alone, of traffic that has gone through a proxy and a worker.

Nothing is simulated but the provider. Each program makes one mistake that real ones make.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.sections.operations import read_operations
from llmproxy_core.simulator import Controls, Simulator
from llmproxy_core.simulator.contents import Contents
from llmproxy_core.simulator.programs import OPENAI, Call
from llmproxy_core.simulator.routines import (
    CLERKS,
    HANDBOOKS,
    INCIDENTS,
    REPLIES,
    TRIAGE,
    Routine,
    find,
)
from llmproxy_core.store import enhancements, pattern_detail
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.trial import edits
from tests.e2e.office import Store, repeated, work
from tests.mitm import Mitmdump

pytestmark = pytest.mark.system

CONFIG = """
[learning]
suggest = "built-in"
min_calls = 20
"""
SORTING = "Here is a parcel: sort this ticket somehow by its class and weight.\n\n{text}"
SCHEMA = {
    "type": "object",
    "properties": {"class": {"type": "string"}, "weight": {"type": "number"}},
    "required": ["class", "weight"],
    "additionalProperties": False,
}


def sorting(number: int) -> Iterator[Call]:
    """Asks for a form of the answer that the provider is not told to keep to."""
    contents = Contents(7)
    form = {"name": "parcel", "strict": False, "schema": SCHEMA}
    for _ in range(number):
        body: dict[str, Any] = {
            "model": "gpt-6.1-sol",
            "messages": [{"role": "user", "content": contents.filled(SORTING)}],
            "response_format": {"type": "json_schema", "json_schema": form},
        }
        headers = {"authorization": "Bearer sk-not-a-key", "user-agent": "sorting/1.0"}
        yield Call(f"{OPENAI}/chat/completions", body, headers)


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(default=Controls(quality=True, caching=True), keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("built-in")
    with Mitmdump(folder, simulator=provider, worker=True, config=CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def store(proxy: Mitmdump) -> Iterator[Store]:
    """With the calls of all these programs in it, and of one that makes no mistake."""
    found = Store(proxy)
    for routine, number in (
        (HANDBOOKS, 5), (INCIDENTS, 45), (CLERKS, 130), (REPLIES, 45), (TRIAGE, 60),
        (find("headline"), 45),
    ):  # fmt: skip
        assert work(proxy, repeated(routine, number, seed=3)) == number
    assert work(proxy, sorting(60)) == 60
    # some seconds after the first five: what was written to a cache then could be read now
    assert work(proxy, repeated(HANDBOOKS, 40, seed=4)) == 40
    yield found
    found.database.close()


def suggested(store: Store, rule: str) -> list[StoredEnhancement]:
    """Of one rule, as soon as there are some."""

    def there(connection: Any) -> list[StoredEnhancement] | None:
        found = enhancements.enhancements(connection)
        return [one for one in found if one.one.source_engine == f"built-in:{rule}"] or None

    return store.soon(there, 300)


def of(store: Store, rule: str, routine: Routine) -> StoredEnhancement:
    """The one for the pattern of a routine, whose name is made of its words."""
    found = suggested(store, rule)
    named = [one for one in found if one.pattern and one.pattern in routine.prompt]
    assert len(named) == 1, [(one.pattern, one.one.edit) for one in found]
    return named[0]


def test_a_cache_mark_that_is_missing(store: Store) -> None:
    one = of(store, "cache_breakpoint", HANDBOOKS).one
    assert one.edit[0] == {"op": "cache_breakpoint", "at": "system"}
    assert one.aim == "cost"
    assert (one.saving_usd_per_day or 0) > 0


def test_a_limit_that_cuts_answers_off(store: Store) -> None:
    one = of(store, "truncation", INCIDENTS).one
    (operation,) = one.edit
    assert (operation["op"], operation["parameter"]) == ("clamp", "max_tokens")
    assert int(str(operation["min"])) > (INCIDENTS.most or 0)


def test_tools_that_nobody_calls(store: Store) -> None:
    one = of(store, "unused_tools", CLERKS).one
    assert one.edit == ({"op": "drop_tools", "names": sorted(CLERKS.tools[1:])},)


def test_what_is_said_twice(store: Store) -> None:
    one = of(store, "duplicate_instructions", REPLIES).one
    (operation,) = one.edit
    assert (operation["op"], operation["role"]) == ("replace_text", "system")
    assert "Never promise a refund" in one.reasoning


def test_a_form_that_answers_do_not_keep(store: Store) -> None:
    found = {one.pattern: one.one for one in suggested(store, "violated_schema")}
    (strict,) = [one for pattern, one in found.items() if pattern and pattern in SORTING]
    assert strict.edit[0]["op"] == "response_format"
    assert strict.edit[0]["strict"] is True
    assert any(pattern and pattern in TRIAGE.prompt for pattern in found)


def test_nothing_is_suggested_where_nothing_is_wrong(store: Store) -> None:
    for rule in ("cache_breakpoint", "truncation", "unused_tools"):
        assert len(suggested(store, rule)) == 1
    told = store.read(lambda connection: enhancements.enhancements(connection))
    assert not [one for one in told if one.pattern and one.pattern in find("headline").prompt]


def test_the_edits_can_be_done_to_what_was_sent(store: Store) -> None:
    """The exact change, on a stored call, as screens and commands show it."""
    told = store.read(lambda connection: enhancements.enhancements(connection))
    assert len(told) >= 5
    for one in told:
        tried = edits.on_first(
            store.database, store.read(partial(_calls, one=one)), read_operations(one.one.edit)
        )
        assert tried is not None, one.one.source_engine
        assert tried.changes, one.one.source_engine


def _calls(connection: Any, one: StoredEnhancement) -> list[UUID]:
    pattern = UUID(one.one.pattern_id)
    found = pattern_detail.calls(connection, one.ns_id, pattern, limit=20)
    return [call.request_id for call in found]
