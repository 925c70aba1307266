from collections.abc import Iterator

import pytest

from llmproxy_core.store import filters, models, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_request, a_response

PAIRS = [
    ("gpt-4o", "gpt-4o-2024-11-20"),
    ("auto", "claude-opus-4-5"),
    ("claude-haiku", None),
    ("o3", "o3"),
]


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    found = Writer(database)
    for asked, answered in PAIRS:
        found.write(a_call_of(asked, answered))
    yield found
    found.close()


def a_call_of(asked: str | None, answered: str | None) -> Batch:
    request = a_request(model=asked)
    part = Contribution(1, request.id, AT, "openai", answered or "", "python", asked, answered)
    return Batch(
        requests=[request], responses=[a_response(request, model=answered)], rollups=[part]
    )


def names(database: Database, *parts: str) -> list[str] | None:
    with database.connect() as connection:
        return models.asked_names(connection, parts)


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("2024-11", ["gpt-4o"]),
        ("OPUS", ["auto"]),
        ("claude", ["auto", "claude-haiku"]),
        ("nothing", []),
        ("-", ["auto", "claude-haiku", "gpt-4o"]),
    ],
)
def test_a_part_of_either_name_leads_to_the_names_asked_for(
    database: Database, part: str, found: list[str]
) -> None:
    assert names(database, part) == found
    wanted = filters.parse(f"model:{part}")
    with database.connect() as connection:
        everything = reads.flows(connection)
        by_index = reads.flows(connection, where=wanted)
    assert by_index == [flow for flow in everything if wanted.matches(flow)]


@pytest.mark.usefixtures("writer")
def test_a_call_that_goes_on_is_found_by_the_name_asked_for(database: Database) -> None:
    other = Writer(database)
    other.write(Batch(requests=[request := a_request(model="brand-new")]))
    other.close()
    with database.connect() as connection:
        (flow,) = reads.flows(connection, where=filters.parse("model:brand"))
    assert flow.id == request.id


def test_a_request_without_a_model_is_found_by_its_answer(
    database: Database, writer: Writer
) -> None:
    writer.write(a_call_of(None, "gemini-3"))
    assert names(database, "gemini") is None
    with database.connect() as connection:
        (flow,) = reads.flows(connection, where=filters.parse("model:gemini"))
    assert flow.model == "gemini-3"


def test_too_many_names_are_marked_and_all_are_still_found(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST", 9)
    for n in range(4):
        writer.write(a_call_of(f"made-up-{n}", f"answer-{n}"))
    assert names(database, "made-up") is None
    with database.connect() as connection:
        assert len(reads.flows(connection, where=filters.parse("model:made-up"))) == 4
