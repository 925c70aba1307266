"""A call as the conversation that the screen shows."""

from llmproxy_core.tui.reading import read
from tests.tui import demo


def test_an_answer_of_a_format_that_is_not_read_says_so():
    detail = demo.detail(demo.flow(1))
    assert read(detail).turns[-1].note == ""

    detail.request.wire = "openai.assistants"
    assert "is stored as it came, not read" in read(detail).turns[-1].note
