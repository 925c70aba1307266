import pytest

from llmproxy_core.enhancements import Exemplar
from llmproxy_core.enhancements.built_in.unused_tools import suggest
from tests.unit.enhancements.made import calls, evidence, some

TOOLS = {"search": 300, "weather": 250, "calendar": 400}


def offered(n: int = 200, **fields):
    usual = {"declared": tuple(TOOLS), "called": frozenset({"search"})}
    return calls(n, **{**usual, **fields})


def test_tools_that_nobody_calls_are_left_out():
    (one,) = suggest(evidence(offered(), tools=TOOLS))

    assert one.edit == ({"op": "drop_tools", "names": ["calendar", "weather"]},)
    assert (one.type, one.aim) == ("context", "cost")
    assert "at most 1.5% of the conversations" in one.reasoning


def test_the_saving_is_the_price_of_their_definitions():
    (one,) = suggest(evidence(offered(), tools=TOOLS))

    assert one.saving_usd_per_day == pytest.approx(200 * 650 * 3e-6, rel=1e-3)


def test_one_call_in_a_thousand_is_enough_to_keep_a_tool():
    observed = some(offered(1000), 1, called=frozenset({"weather", "calendar"}))

    assert suggest(evidence(observed, tools=TOOLS)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"forced": frozenset({"weather", "calendar"})},
        {"conversation": "one conversation"},
        {"editable": False},
        {"declared": ()},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_tools_that_may_be_needed_stay(fields):
    assert suggest(evidence(offered(**fields), tools=TOOLS)) == []


def test_tools_that_the_prompt_speaks_of_stay():
    system = Exemplar(
        "1", system="Ask the calendar before you answer. Forecasts are no weathermen."
    )

    (one,) = suggest(evidence(offered(), tools=TOOLS, exemplars=(system,)))

    assert one.edit[0]["names"] == ["weather"]


def test_a_choice_among_no_tools_is_not_left():
    nothing = offered(called=frozenset(), parameters={"tool_choice": "auto"})

    assert suggest(evidence(nothing, tools=TOOLS)) == []
    assert suggest(evidence(offered(called=frozenset()), tools=TOOLS)) != []


def test_small_tools_and_little_traffic_are_no_reason():
    assert suggest(evidence(offered(), tools=dict.fromkeys(TOOLS, 20))) == []
    assert suggest(evidence(offered(49), tools=TOOLS)) == []
