"""All signals: what each promises, tried on one call of each kind."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.success.registry import COUNTED, SIGNALS, judge
from llmproxy_core.success.trail import Trails
from tests.unit.providers import corpus
from tests.unit.success.exchanges import asked_for, call, chat, completion

DOCUMENT = Path(__file__).parents[3] / "docs" / "success.md"


def test_every_signal_is_documented():
    text = DOCUMENT.read_text("utf-8")
    assert [name for name in SIGNALS if f"`{name}`" not in text] == []


def test_an_outage_does_not_count():
    assert set(SIGNALS) - COUNTED == {"unavailable"}


def test_an_ordinary_answer_is_good_and_nothing_else_is_told():
    assert [(one.name, one.verdict) for one in judge(chat("Hi"))] == [("answered", "good")]


def test_a_call_has_each_cause_once():
    cut = {"messages": [], "response_format": {"type": "json_object"}}
    signals = judge(call("openai.chat", cut, completion('{"a', "length")))
    assert [(one.name, one.verdict) for one in signals] == [
        ("answered", "good"),
        ("truncated", "bad"),
    ]


def test_embeddings_are_answered_and_no_more():
    answer = {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 1}}
    signals = judge(call("openai.embeddings", {"input": "Hi"}, answer))
    assert [one.name for one in signals] == ["answered"]


def test_where_texts_were_not_kept_only_the_ends_are_judged():
    cut = {"messages": [], "response_format": {"type": "json_object"}}
    blanked, limited = completion(""), completion("", "length")
    one, other = call("openai.chat", cut, blanked), call("openai.chat", cut, limited)
    lost = call("openai.chat", cut)
    for mute in (one, other, lost):
        mute.mute = True
    told = [
        [(signal.name, signal.verdict) for signal in judge(call)] for call in (one, other, lost)
    ]
    good, bad = ("answered", "good"), ("truncated", "bad")
    assert told == [[good], [good, bad], [good]]


FIELDS = st.sampled_from(
    [
        "tools",
        "functions",
        "input",
        "response_format",
        "text",
        "format",
        "output_config",
        "outputConfig",
        "generationConfig",
        "toolConfig",
        "request",
        "frames",
        "messages",
        "content",
        "role",
        "type",
        "json_schema",
        "schema",
        "function",
        "name",
        "parameters",
        "functionDeclarations",
        "toolSpec",
        "inputSchema",
        "json",
        "structure",
        "textFormat",
        "jsonSchema",
        "is_error",
    ]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | FIELDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=20,
)


@given(
    st.sampled_from(
        ["openai.chat", "gemini", "bedrock.converse", "ollama.chat", "openai.realtime"]
    ),
    st.dictionaries(FIELDS, BODIES, max_size=5),
)
def test_no_request_makes_a_judge_raise(wire, body):
    one = call("openai.chat", {}, asked_for("f", "{}"), parent=7, relation="append")
    one.wire, one.body = wire, body
    assert next(signal.name for signal in judge(one)) == "answered"
    Trails().hear(one)


@corpus.needs_corpus
def test_every_recorded_call_can_be_judged():
    """At most one signal of a name, and one about whether it was answered."""
    for exchange in corpus.readable()[::7]:
        response, _ = corpus.answer_of(exchange)
        one = chat("Hi")
        one.wire, one.status, one.response = corpus.wire_of(exchange), exchange["status"], response
        one.request, _ = corpus.request_of(exchange)
        names = [signal.name for signal in judge(one)]
        assert len(names) == len(set(names))
        assert {"answered", "unavailable", "refusal"} & set(names)
