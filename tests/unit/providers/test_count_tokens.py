from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_plain import COUNT_TOKENS, INPUT_TOKENS


def test_what_is_counted_is_read_as_if_it_were_asked() -> None:
    for sample in (COUNT_TOKENS, INPUT_TOKENS):
        request, _ = read_request(sample.wire, "/", [], sample.asked)
        assert request.messages[0].parts[0].text == "Weather in Oslo?"


def test_the_number_is_that_of_the_input() -> None:
    for sample in (COUNT_TOKENS, INPUT_TOKENS):
        usage = read(sample.wire, sample.json).usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == (14, None)
