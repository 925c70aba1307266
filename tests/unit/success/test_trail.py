"""What later calls say about earlier ones."""

import random

import pytest

from llmproxy_core.success.trail import AGAIN, OFTEN, REMEMBERED, Trails
from tests.unit.success.exchanges import SECOND, call, chat, completion, id_of

QUESTION = "What is the capital of Australia?"


def names(signals):
    return [(one.name, one.request.int) for one in signals]


def heard(*calls):
    """The signals that the last of these calls tells."""
    trails = Trails()
    return [trails.hear(one) for one in calls][-1]


def turn(*said, number, at, parent=None, relation="append", **more):
    return chat(*said, number=number, at=at, parent=parent, relation=relation, **more)


def opening(number, at, text=QUESTION, **more):
    return chat(text, number=number, at=at, session=number + 100, **more)


def test_a_question_that_is_asked_again_was_not_answered_well():
    first = turn(QUESTION, number=1, at=0, relation="root")
    again = turn(QUESTION, "Sydney.", f"Please, {QUESTION}", number=2, at=30, parent=1)
    found = heard(first, again)
    assert names(found) == [("asked_again", 1)]
    assert found[0].by == id_of(2)
    assert found[0].why == "the same question again after 29 s"


def test_it_may_be_asked_again_in_another_conversation_of_the_same_program():
    assert names(heard(opening(1, 0), opening(2, 60))) == [("asked_again", 1)]
    assert heard(opening(1, 0), opening(2, 60, client="10.0.0.7")) == []


def test_a_repeated_opening_is_the_same_question_again_too():
    repeat = opening(2, 60, relation="retry", parent=1)
    assert names(heard(opening(1, 0), repeat)) == [("asked_again", 1)]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (opening(2, AGAIN // SECOND + 2), "too late"),
        (opening(2, 0.5), "before there was an answer"),
        (opening(2, 1.1), "faster than anybody reads"),
        (opening(2, 60, "What is the capital of Austria?"), "another question"),
    ],
)
def test_what_is_not_the_same_question_again_says_nothing(second, why):
    assert heard(opening(1, 0), second) == [], why


def test_a_question_that_failed_is_asked_again_for_that():
    failed = opening(1, 0, ending="server_closed", finish=None)
    assert heard(failed, opening(2, 60)) == []


def test_programs_that_repeat_a_question_are_not_people():
    calls = [opening(n, 20 * n) for n in range(1, OFTEN + 3)]
    trails = Trails()
    told = [trails.hear(one) for one in calls]
    assert [len(signals) for signals in told] == [0, 1] + [0] * (OFTEN)


def test_a_program_that_asks_every_seven_minutes_is_no_person_either():
    trails = Trails()
    told = [trails.hear(opening(n, 420 * n)) for n in range(1, 9)]
    assert [len(signals) for signals in told] == [0, 1] + [0] * 6


def test_who_asks_in_another_way_tries_something_out():
    plain = {"model": "m", "messages": [{"role": "user", "content": QUESTION}]}
    answer = completion("Canberra.")
    first = call("openai.chat", plain, answer, number=1, session=1)
    for changed in ({"stream": True}, {"temperature": 0.2}):
        other = call("openai.chat", plain | changed, answer, number=2, at=60, session=2)
        assert heard(first, other) == []
    assert heard(first, call("openai.chat", plain, answer, number=2, at=60, session=2))


def test_another_model_is_a_comparison():
    other = opening(2, 60)
    other.request.model = "n"
    assert heard(opening(1, 0), other) == []


def test_a_turn_that_is_sent_again_was_not_liked():
    first = turn("Hi", "Hello.", "Tell a joke", number=2, at=10, parent=1)
    again = turn("Hi", "Hello.", "Tell a joke", number=3, at=20, parent=2, relation="retry")
    assert names(heard(first, again)) == [("regenerated", 2)]


def test_of_several_attempts_the_latest_was_not_liked():
    said = ("Hi", "Hello.", "Tell a joke")
    first = turn(*said, number=2, at=10, parent=1)
    second = turn(*said, number=3, at=20, parent=2, relation="retry")
    third = turn(*said, number=4, at=30, parent=2, relation="retry")
    assert names(heard(first, second, third)) == [("regenerated", 3)]


def test_a_program_that_draws_answers_to_a_turn_likes_them_all():
    first = turn(QUESTION, number=1, at=0, relation="root")
    asked = (QUESTION, "Sydney.", "And of Austria, please?")
    second = turn(*asked, number=2, at=30, parent=1)

    def again(number, at):
        return turn(*asked, number=number, at=at, parent=2, relation="retry")

    assert heard(first, second, again(3, 31.5)) == []  # faster than anybody reads
    trails = Trails()
    told = [trails.hear(one) for one in (first, second, *(again(n, 30 * n) for n in range(3, 9)))]
    assert [len(signals) for signals in told] == [0, 0, *[1] * OFTEN, 0, 0, 0]


def test_a_turn_that_failed_is_sent_again_for_that():
    said = ("Hi", "Hello.", "Tell a joke")
    failed = turn(*said, number=2, at=10, parent=1, ending="server_closed", finish=None)
    again = turn(*said, number=3, at=20, parent=2, relation="retry")
    assert heard(failed, again) == []


def test_a_turn_that_was_edited_was_misunderstood():
    first = turn("Hi", "Hello.", "Draw a red house", number=2, at=10, parent=1)
    other = turn(
        "Hi", "Hello.", "Draw a big red house", number=3, at=40, parent=1, relation="branch"
    )
    assert names(heard(first, other)) == [("edited", 2)]


def test_another_branch_is_no_edit():
    first = turn("Hi", "Hello.", "Draw a red house", number=2, at=10, parent=1)
    other = turn("Hi", "Hello.", "Find a title", number=3, at=40, parent=1, relation="branch")
    assert heard(first, other) == []


def test_corrections_and_results_need_no_memory():
    wrong = turn(QUESTION, "Sydney.", "No, that's wrong", number=2, at=30, parent=1)
    assert names(Trails().hear(wrong)) == [("correction", 1)]
    request = {
        "messages": [
            {"role": "user", "content": "Rain?"},
            {"role": "assistant", "tool_calls": [{"id": "t", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "Error: no"},
        ]
    }
    tools = call("openai.chat", request, completion("No."), number=2, parent=1, relation="append")
    assert names(Trails().hear(tools)) == [("tool_result", 1)]


def test_calls_beside_a_conversation_and_embeddings_say_nothing():
    assert heard(opening(1, 0), opening(2, 60, aside=True)) == []
    vectors = [
        call("openai.embeddings", {"input": QUESTION}, {"data": []}, number=n, at=60 * n)
        for n in (1, 2)
    ]
    assert heard(*vectors) == []


def test_a_call_that_is_heard_again_says_the_same_again():
    first, again = opening(1, 0), opening(2, 60)
    trails = Trails()
    trails.hear(first)
    assert trails.hear(again) == trails.hear(again) != []


def test_after_a_restart_the_last_minutes_are_heard_again():
    calls = [opening(1, 0), turn("Hi", "Hello.", QUESTION, number=2, at=10, parent=7)]
    follow = turn("Hi", "Hello.", QUESTION, "Sydney.", QUESTION, number=3, at=40, parent=2)
    before, after = Trails(), Trails()
    for one in calls:
        before.hear(one)
    for one in calls:
        after.hear(one)
    assert before.hear(follow) == after.hear(follow)
    assert names(after.hear(follow)) == [("asked_again", 2)]


def test_no_call_judges_itself_or_one_that_had_not_ended():
    dice = random.Random(7)
    trails = Trails()
    ends: dict[int, float] = {}
    for number in range(1, 400):
        at = dice.uniform(0, 900)
        ends[number] = at + 1
        parent = dice.randrange(1, number) if number > 1 else None
        one = turn(
            "Hi",
            "Hello.",
            dice.choice([QUESTION, "Draw a red house", "Draw a big red house"]),
            number=number,
            at=at,
            parent=parent,
            relation=dice.choice(["append", "branch", "retry"]),
            session=dice.randrange(3),
        )
        for signal in trails.hear(one):
            assert signal.by == id_of(number) != signal.request
            assert ends[signal.request.int] <= at


def test_what_is_remembered_is_bounded():
    trails = Trails(conversations=10)
    for number in range(1, 200):
        trails.hear(opening(number, 20 * number, f"Question number {number} of the list"))
    kept = [*trails._sessions.values(), *trails._openings.values()]
    assert len(kept) <= 20
    assert all(len(trail._calls) <= REMEMBERED for trail in kept)
