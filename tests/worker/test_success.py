"""Signals of calls that are placed in their conversations as the worker does it, for every wire."""

import json
from random import Random
from typing import Any

import pytest

from llmproxy_core.providers.formats import read_body, read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.success.call import Call as Judged
from llmproxy_core.success.signal import Signal
from llmproxy_core.success.trail import Trails
from llmproxy_core.worker.moments import nanoseconds
from tests.worker.speakers import SPEAKERS, Chat, Said
from tests.worker.test_lineage import stored
from tests.worker.traffic import NOON, SECOND, Call

READ: Any = ("call_1", "Read", {"file_path": "/a"})
ASKED: Said = ("user", "What is the capital of Australia, and why?", [])
SYDNEY: Said = ("assistant", "It is Sydney, the largest of its cities.", [])
WRONG: Said = ("user", "No, that's wrong, look into the file.", [])
CALLED: Said = ("assistant", "I look it up.", [READ])
FAILED: Said = ("tool", "Error: no such file", [READ])
SORRY: Said = ("assistant", "There is no such file here.", [])
EDITED: Said = ("user", "No, that's wrong, look into the big file.", [])

TURNS: list[tuple[list[Said], Said]] = [
    ([ASKED], SYDNEY),
    ([ASKED, SYDNEY, WRONG], CALLED),
    ([ASKED, SYDNEY, WRONG, CALLED, FAILED], SORRY),
    ([ASKED, SYDNEY, WRONG, CALLED, FAILED], SORRY),
    ([ASKED, SYDNEY, EDITED], SORRY),
]
TOLD = [
    (1, "correction", 0),
    (2, "tool_result", 1),
    (3, "regenerated", 2),
    (4, "correction", 0),
    (4, "edited", 1),
]
"""(call, the signal that it tells, about which call)."""


def traffic(speaker: Chat) -> list[Call]:
    """One turn a minute."""
    return [
        Call(
            number,
            NOON + number * 60 * SECOND,
            wire=speaker.wire,
            path=speaker.path,
            body=json.dumps(speaker.request(said, ["Read"], number)).encode(),
            answer=json.dumps(speaker.answer(answer, number)).encode(),
        )
        for number, (said, answer) in enumerate(TURNS)
    ]


def judged(ledger: Any, id: Any) -> Judged:
    """A call as it stands in the store."""
    row, told = ledger.requests[id], ledger.responses[id]
    request, _ = read_request(row.wire, row.path, row.headers, row.body)
    reader = AnswerReader(row.wire, told.status, told.headers, row.path)
    reader.feed(told.body)
    return Judged(
        id=row.id,
        ns_id=row.ns_id,
        session=row.session_id,
        at=nanoseconds(row.started_at),
        ended=nanoseconds(told.ended_at),
        wire=row.wire,
        status=told.status,
        request=request,
        response=reader.finish(),
        body=read_body(row.wire, row.headers, row.body)[0],
        client=row.client.rpartition(":")[0],
        relation=row.relation,
        parent=row.parent_id,
    )


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_what_later_turns_say_is_heard_on_every_wire(tmp_path, speaker):
    calls = traffic(speaker(Random(1)))
    ledger = stored(tmp_path, calls)
    numbers = {call.id: call.number for call in calls}
    trails = Trails()

    def told(signal: Signal) -> tuple[int, str, int]:
        assert signal.by is not None
        return numbers[signal.by.bytes], signal.name, numbers[signal.request.bytes]

    heard = [signal for id in sorted(ledger.requests) for signal in trails.hear(judged(ledger, id))]
    assert sorted(map(told, heard)) == TOLD
    assert {signal.verdict for signal in heard} == {"bad"}
