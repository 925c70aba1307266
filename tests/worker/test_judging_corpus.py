"""All recorded exchanges are judged: without a fault, and with few findings, as they are harmless."""

from collections import Counter

import pytest

from llmproxy_core.config import Config
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.guard_rows import AnomalyRow, UnjudgedRow
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.judging import Judging
from tests.unit.providers.corpus import exchanges, needs_corpus
from tests.worker.ledger import Ledger
from tests.worker.test_corpus import recorded
from tests.worker.traffic import append

pytestmark = [pytest.mark.system, needs_corpus]


class Found(Ledger):
    """Keeps the findings, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.anomalies: list[AnomalyRow] = []

    def write(self, batch: Batch) -> None:
        self.anomalies += batch.anomalies

    def unjudged(self, home: str, limit: int) -> list[UnjudgedRow]:
        return []

    def case(self, row: UnjudgedRow, policies: object) -> None:
        return None


def test_recorded_calls_are_judged_without_faults_and_false_alarms(home, journal, caplog):
    calls = 0
    for exchange in exchanges():
        append(journal, recorded(exchange, calls))
        calls += 1
    ledger, judging = Found(), Judging(Config(), home)
    judging.warm()
    intake = Intake(home.spool, ledger, judging=judging)
    while True:
        while intake.collect() or intake.waiting or intake.due:
            intake.commit()
        if judging.idle:
            break
        judging.work(1.0, ledger)
    sure = [one for one in ledger.anomalies if one.score >= 0.5 and one.family != "unusual_use"]
    families = Counter(one.family for one in sure)
    assert [record for record in caplog.records if "judging" in record.name] == []
    assert families["injection"] >= 1, "one of the recordings is an attack"
    assert len({one.request_id for one in sure}) < calls / 100, families
