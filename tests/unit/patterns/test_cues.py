from collections import Counter

import pytest

from llmproxy_core.patterns.cues import points, read_cues
from llmproxy_core.patterns.types import TYPES


def test_each_cue_speaks_of_a_type():
    found = Counter(cue.type for cue in read_cues())
    assert set(found) == set(TYPES)


def test_names_in_cues_are_all_put_in():
    assert not [cue.text for cue in read_cues() if "{few}" in cue.text or "{start}" in cue.text]


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("classify the message", "classification"),
        ("answer the following question", "question_answering"),
        ("fasse den text zusammen", "summarization"),
        ("extract all names", "extraction"),
        ("écris un poème", "generation"),
        ("write a sql query", "code"),
        ("переведи на английский", "translation"),
        ("thought: i should look\naction: search", "agent_step"),
        ("你好", "chat"),
    ],
)
def test_the_strongest_cue_tells(text, type):
    found = points(text)
    assert max(found, key=found.__getitem__) == type


def test_a_text_without_cues_has_no_points():
    assert points("the harbour is old") == {}
