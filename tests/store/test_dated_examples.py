"""Migration 0016: patterns of a store that knew no times of their examples are found again."""

from llmproxy_core.home import Home
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.store import learnt, migrate
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.writer import Writer
from llmproxy_core.worker.pattern_rows import Stored
from tests.postgres import at_version
from tests.store.lessons import a_pattern


def test_patterns_with_examples_without_times_are_known_afterwards(postgres_home: Home) -> None:
    known = Pattern("1", "user", ("ask",), examples=dict.fromkeys(["ab", "cd", "ask me"], 0))
    before = known.to_json() | {"examples": [*known.examples]}
    now = a_pattern(state={"pattern": Pattern("2", "user", ("x",), examples={"it": 5}).to_json()})
    rows = [a_pattern(state={"pattern": before}), now, a_pattern(kind="system")]
    with at_version(postgres_home, "0015") as database:
        writer = Writer(database)
        writer.write(Batch(lessons=Lessons(patterns=rows)))
        writer.close()
        for _ in range(2):  # it may be run again
            migrate.upgrade(database)
            with database.connect() as connection:
                found = [Stored(*row).pattern for row in learnt.patterns(connection, 1)]
            examples = [[*one.examples.items()] for one in found if one is not None]
            assert sorted(examples) == [
                [("ab", 0), ("cd", 0), ("ask me", 0)],
                [("it", 5)],
            ]
            with database.raw() as raw:
                raw.execute("UPDATE llmproxy_schema SET version_num = '0015'")
