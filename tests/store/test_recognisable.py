"""What proxies are handed of patterns."""

from collections.abc import Iterator

import pytest

from llmproxy_core.enhancing.recognised import Patterns, Recognised
from llmproxy_core.patterns.documents import system_lines
from llmproxy_core.patterns.families import Text
from llmproxy_core.patterns.shape import shape
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons, PatternRow
from llmproxy_core.store.recognisable import recognisable, stamp
from llmproxy_core.store.writer import Writer
from tests.store.lessons import a_pattern, an_event_of

SYSTEM = "You are the assistant of a shop.\nNever promise a refund."
TICKET = "Classify this ticket of the support team: {}"


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def prompts() -> PatternRow:
    runs = [shape(TICKET.format(""))[:-2]]
    return a_pattern(pieces=[TICKET.format(""), None], state={"pattern": {"runs": runs}})


def test_patterns_are_recognised_as_they_were_stored(database: Database, writer: Writer) -> None:
    outline = Text(system_lines(SYSTEM)).outline
    user = prompts()
    versions = {"versions": [{"outline": outline}], "candidates": []}
    system = a_pattern(kind="system", name="shop", type=None, state={"family": versions})
    gone = a_pattern(name="gone", merged_into=user.id)
    writer.write(Batch(lessons=Lessons(patterns=[user, system, gone])))
    with database.connect() as connection:
        known = Recognised.of(recognisable(connection, 1))

    assert known.user(TICKET.format("it is late")) == str(user.id)
    assert known.user("What is the time?") == ""
    assert known.system(SYSTEM) == str(system.id)
    assert known.now(str(gone.id)) == str(user.id)
    facts = known.facts(Patterns(str(user.id), str(system.id)))
    assert facts["pattern.name"] == user.name
    assert facts["pattern.type"] == "classification"


def test_what_becomes_of_a_pattern_is_told(database: Database, writer: Writer) -> None:
    user = prompts()
    with database.connect() as connection:
        before = stamp(connection)
    writer.write(Batch(lessons=Lessons(patterns=[user], history=[an_event_of(user)])))
    with database.connect() as connection:
        after = stamp(connection)

    assert before != after
