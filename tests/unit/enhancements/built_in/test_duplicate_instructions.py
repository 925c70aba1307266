import pytest
import re2

from llmproxy_core.enhancements import Exemplar
from llmproxy_core.enhancements.built_in.duplicate_instructions import sentences, suggest
from tests.unit.enhancements.made import calls, evidence

RULE = "Never promise a refund before the order has been checked."
OTHER = "Answer in the language of the customer, whatever it is."


def exemplars(system: str, user: str = "Where is it, {}?", n: int = 8):
    return tuple(Exemplar(str(at), system, user.format(at)) for at in range(n))


def twice(**fields):
    system = f"You help customers.\n- {RULE}\n- {OTHER}\n- Be kind.\n- {RULE}\nThat is all."
    return evidence(calls(100), **{"exemplars": exemplars(system), **fields})


def done(operation, text: str) -> str:
    replaced: str = re2.compile(operation["pattern"]).sub(operation["replacement"], text)
    return replaced


def test_the_second_of_two_sentences_goes_with_its_bullet():
    found = twice()
    (one,) = suggest(found)

    (operation,) = one.edit
    assert (operation["op"], operation["role"]) == ("replace_text", "system")
    changed = done(operation, found.exemplars[0].system)
    assert changed == f"You help customers.\n- {RULE}\n- {OTHER}\n- Be kind.\nThat is all."
    assert done(operation, changed) == changed
    assert RULE[:40] in one.reasoning


def test_what_the_system_prompt_says_the_user_need_not_say():
    found = evidence(
        calls(100),
        exemplars=exemplars(f"You help.\n{RULE}", f"My order {{}} is late.\n{RULE}"),
        constant=("My order ", f" is late.\n{RULE}"),
    )

    (one,) = suggest(found)

    (operation,) = one.edit
    assert operation["role"] == "user"
    assert done(operation, found.exemplars[3].user) == "My order 3 is late."


def test_what_a_user_says_by_chance_stays():
    found = evidence(
        calls(100), exemplars=exemplars(f"You help.\n{RULE}", f"{{}}\n{RULE}"), constant=("Hello",)
    )

    assert suggest(found) == []


def test_a_prompt_that_would_be_empty_stays():
    found = evidence(calls(100), exemplars=exemplars(f"You help.\n{RULE}", RULE), constant=(RULE,))

    assert suggest(found) == []


@pytest.mark.parametrize(
    "system",
    [
        f"{RULE}\n{OTHER}",
        f"{RULE}\n{RULE}\n{RULE}",
        f"```\n{RULE}\n```\n{RULE}",
        "Question: yes or no?\nAnswer: yes\nQuestion: yes or no?\nAnswer: no",
    ],
)
def test_other_texts_are_no_reason(system):
    assert suggest(evidence(calls(100), exemplars=exemplars(system))) == []


def test_too_little_traffic_is_no_reason():
    assert suggest(twice(exemplars=twice().exemplars[:4])) == []
    assert suggest(evidence(calls(29), exemplars=twice().exemplars)) == []


def test_signs_that_mean_something_to_re2_are_taken_as_they_stand():
    odd = "Prices (in [EUR] or $) end with .99*, always + without any exception | rounding."
    found = evidence(calls(100), exemplars=exemplars(f"{odd}\nBe kind.\n{odd}"))

    (one,) = suggest(found)

    assert done(one.edit[0], found.exemplars[0].system) == f"{odd}\nBe kind."


def test_sentences_of_scripts_without_spaces_are_sentences():
    text = "注文を確認する前に返金を約束しないでください。お客様の言語で答えてください。"

    assert len(list(sentences(text))) == 2
