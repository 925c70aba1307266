import pytest
import re2

from llmproxy_core.enhancements import Exemplar
from llmproxy_core.enhancements.built_in.volatile_prefix import suggest
from tests.unit.enhancements.made import call, evidence

RULES = "Look at the rules of the shop before you answer, and never at the clock. " * 80


def clocked(times, behind: str = RULES, n: int = 200, **fields):
    observed = tuple(call(at, prefix=f"p{at}") for at in range(n))
    exemplars = tuple(Exemplar(time, f"It is {time} now. {behind}") for time in times)
    return evidence(observed, **{"exemplars": exemplars, **fields})


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-02T09:{}:07.123Z",
        "2026-03-02 09:{}:07.123456+00:00",
        "2026-03-02 09:{}",
        "2026-03-02 09:{}:07 UTC",
    ],
)
def test_a_time_of_day_is_cut_to_its_date(time):
    (one,) = suggest(clocked([time.format(minute) for minute in range(10, 18)]))

    (operation,) = one.edit
    changed = re2.sub(
        operation["pattern"], operation["replacement"], f"It is {time.format(10)} now."
    )
    assert changed == "It is 2026-03-02 now."
    assert one.saving_usd_per_day is not None
    assert one.saving_usd_per_day > 0
    assert one.confidence <= 0.8


def test_a_prompt_that_changes_otherwise_as_well_is_left_alone():
    names = [f"2026-03-02 09:{minute} for user {minute}" for minute in range(10, 18)]

    assert suggest(clocked(names)) == []


def test_dates_and_short_prompts_do_no_harm():
    assert suggest(clocked(["2026-03-02"] * 8)) == []
    assert suggest(clocked([f"2026-03-02 09:{n}" for n in range(10, 18)], "Be kind.")) == []


def test_a_prefix_that_is_shared_works_already():
    found = clocked([f"2026-03-02 09:{n}" for n in range(10, 18)])
    shared = tuple(call(n, prefix=f"p{n // 2}") for n in range(200))

    assert suggest(evidence(shared, exemplars=found.exemplars)) == []
