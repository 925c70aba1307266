"""Sub-agents, compaction, and what stands beside a conversation: one story a test."""

import json
from dataclasses import replace

import pytest

from llmproxy_core.spool import SpoolWriter
from llmproxy_core.worker.intake import Intake
from tests.worker.ledger import Ledger
from tests.worker.test_exactly_once import drain
from tests.worker.traffic import NOON, SECOND, Call, append

CLAUDE = "3f8e6c1a-1111-4222-8333-944445555666"
SESSION = [("x-claude-code-session-id", CLAUDE)]
PROMPT = "Find every place in which the spool is read, and list the files."
TOOLS = [{"name": "Task", "input_schema": {}}]
SUMMARY = (
    "1. The person asked for a spool that survives kill -9.\n"
    "2. We wrote a journal of segments, each with a checksum.\n"
    "3. Still to do: remove the segments that are stored."
)


class Story:
    """Calls one after the other; `parent` and `relation` of each by its number."""

    def __init__(self, spool) -> None:
        self.spool, self.ledger = spool, Ledger()
        self.journal = SpoolWriter(spool)
        self.intake = Intake(spool, self.ledger)
        self.calls: list[Call] = []

    def claude(self, messages, answer="Yes.", *, uses=(), headers=(), **more) -> int:
        """One call of Anthropic's; `messages` alternate between user and assistant."""
        roles = ["user", "assistant"] * len(messages)
        said = [{"role": r, "content": c} for r, c in zip(roles, messages, strict=False)]
        body = {"model": "m", "max_tokens": 900, "tools": TOOLS, "messages": said} | more
        blocks = [{"type": "text", "text": answer}]
        blocks += [{"type": "tool_use", "id": i, "name": "Task", "input": a} for i, a in uses]
        usage = {"input_tokens": 5, "output_tokens": 90}
        reply = {"type": "message", "content": blocks, "stop_reason": "end_turn", "usage": usage}
        return self.call(body, reply, "anthropic.messages", "/v1/messages", headers)

    def codex(self, entries, id, answer="Yes.", *, headers=(), **more) -> int:
        body = {"model": "gpt-5", "input": [{"role": "user", "content": e} for e in entries]}
        said = [{"type": "message", "content": [{"type": "output_text", "text": answer}]}]
        reply = {"id": id, "status": "completed", "output": said if answer else []}
        return self.call(body | more, reply, "openai.responses", "/v1/responses", headers)

    def call(self, body, reply, wire, path, headers=()) -> int:
        number = len(self.calls)
        call = Call(number, NOON + number * SECOND, wire=wire, path=path, headers=list(headers))
        call = replace(call, body=json.dumps(body).encode(), answer=json.dumps(reply).encode())
        self.calls.append(call)
        append(self.journal, call.records())
        drain(self.intake)
        return number

    def restart(self) -> None:
        self.intake = Intake(self.spool, self.ledger)

    def row(self, number):
        (row,) = [r for r in self.ledger.requests.values() if r.id.bytes == self.calls[number].id]
        return row

    def link(self, number):
        row = self.row(number)
        numbers = {call.id: call.number for call in self.calls}
        return row.relation, numbers[row.parent_id.bytes] if row.parent_id else None

    def sessions(self, *numbers):
        return len({self.row(number).session_id for number in numbers})


@pytest.fixture
def story(tmp_path):
    made = Story(tmp_path)
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    "opening",
    [
        PROMPT,
        f"  {PROMPT}\n",
        f"<system-reminder>Be kind. </system-reminder>\n{PROMPT}",
        [{"type": "text", "text": "Context: none."}, {"type": "text", "text": PROMPT}],
        f"You are a helper of another agent. Your task:\n\n{PROMPT}\n\nReport in a few words.",
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_sub_agent_begins_with_the_prompt_of_a_tool_call(story, opening, restarted):
    main = story.claude(["Clean up."], uses=[("t1", {"description": "Look", "prompt": PROMPT})])
    if restarted:
        story.restart()
    agent = story.claude([opening])
    assert story.link(agent) == ("subagent", main)
    assert story.row(agent).parent_call == "t1"
    assert story.sessions(main, agent) == 1


def test_each_of_several_calls_with_one_prompt_has_its_own_sub_agent(story):
    uses = [(f"t{n}", {"prompt": PROMPT}) for n in range(3)]
    main = story.claude(["Clean up."], uses=uses)
    agents = [story.claude([PROMPT], f"Answer {n}.") for n in range(3)]
    again = story.claude([PROMPT], "Answer.")
    assert [story.link(agent) for agent in agents] == [("subagent", main)] * 3
    assert {story.row(agent).parent_call for agent in agents} == {"t0", "t1", "t2"}
    assert story.link(again)[0] == "retry"
    later = story.claude([PROMPT, "Answer 1.", "And?"])
    assert story.link(later) == ("append", agents[1])


def test_another_machine_is_not_a_sub_agent(story):
    story.claude(["Clean up."], uses=[("t1", {"prompt": PROMPT})])
    story.calls.append(Call(1, NOON + SECOND, client="10.0.0.9:4"))
    other = Call(1, NOON + SECOND, wire="anthropic.messages", client="10.0.0.9:4")
    body = {"messages": [{"role": "user", "content": PROMPT}]}
    append(story.journal, replace(other, body=json.dumps(body).encode()).records())
    drain(story.intake)
    assert story.link(1) == ("root", None)


def test_a_sub_agent_that_says_so_is_one_without_a_prompt(story):
    main = story.claude(["Clean up."], headers=SESSION)
    headers = [*SESSION, ("x-claude-code-agent-id", "a1")]
    agent = story.claude(["Something else."], headers=headers)
    nested = [*SESSION, ("x-claude-code-agent-id", "a2"), ("x-claude-code-parent-agent-id", "a1")]
    below = story.claude(["Deeper."], headers=nested)
    more = story.claude(["Something else.", "Yes.", "More."], headers=headers)
    assert [story.link(n) for n in (agent, below, more)] == [
        ("subagent", main),
        ("subagent", agent),
        ("append", agent),
    ]


def test_a_summary_leads_to_the_conversation_it_is_of(story):
    first = story.claude(["Write a spool.", "Done.", "Thanks."])
    summing = story.claude(["Write a spool.", "Done.", "Thanks.", "Yes.", "Sum up."], SUMMARY)
    opening = f"This session is being continued from a previous conversation:\n{SUMMARY}\nGo on."
    compacted = story.claude([opening])
    assert story.link(summing) == ("append", first)
    assert story.link(compacted) == ("compaction", summing)
    assert story.sessions(first, summing, compacted) == 1


def test_a_summary_is_known_after_a_restart(story):
    summing = story.claude(["Write a spool.", "Done.", "Sum up."], SUMMARY)
    story.restart()
    compacted = story.claude([f"Summary of what was said:\n{SUMMARY}"])
    assert story.link(compacted) == ("compaction", summing)


def test_a_named_session_that_begins_anew_is_compacted(story):
    first = story.claude(["Write a spool.", "Done.", "Thanks."], headers=SESSION)
    story.restart()
    compacted = story.claude(["What we did before, in short: a spool."], headers=SESSION)
    assert story.link(first) == ("root", None)
    assert story.link(compacted) == ("compaction", first)


def test_an_answer_that_is_handed_on_is_no_compaction(story):
    story.claude(["Write an article."], SUMMARY)
    critic = story.claude([f"Judge this article:\n{SUMMARY}"])
    assert story.link(critic) == ("root", None)


def test_a_conversation_whose_beginning_was_cut_off_goes_on(story):
    long = "The segments are removed once all that they hold is stored."
    first = story.claude(["Write a spool.", "Done.", "When are segments removed?"], long)
    cut = story.claude(["When are segments removed?", long, "And if it crashes?"])
    assert story.link(cut) == ("compaction", first)
    assert story.sessions(first, cut) == 1


def test_a_compaction_item_leads_to_the_answer_that_held_it(story):
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
    reply = {"id": "resp_1", "status": "completed", "output": [item]}
    asked = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    body = {"model": "gpt-5", "input": [*asked, {"role": "user", "content": "Go on."}]}
    first = story.call(body, reply, "openai.responses", "/v1/responses")
    later = {"model": "gpt-5", "input": [item, {"role": "user", "content": "And then?"}]}
    second = story.call(later, reply | {"id": "resp_2"}, "openai.responses", "/v1/responses")
    assert story.link(second) == ("compaction", first)


@pytest.mark.parametrize("restarted", [False, True])
def test_what_continues_an_answer_by_its_id_has_it_for_a_parent(story, restarted):
    first = story.codex(["Why?"], "resp_1", "So.")
    if restarted:
        story.restart()
    second = story.codex(["And?"], "resp_2", "Thus.", previous_response_id="resp_1")
    branch = story.codex(["Or?"], "resp_3", previous_response_id="resp_1")
    again = story.codex(["Or?"], "resp_4", previous_response_id="resp_1")
    assert [story.link(n) for n in (second, branch, again)] == [
        ("append", first),
        ("branch", first),
        ("retry", branch),
    ]
    assert story.sessions(first, second, branch, again) == 1


def test_all_of_it_sent_again_goes_on_from_what_the_provider_kept(story):
    first = story.codex(["Why?"], "resp_1", "So.")
    second = story.codex(["And?"], "resp_2", "Thus.", previous_response_id="resp_1")
    entries = ["Why?", "So.", "And?", "Thus.", "Well?"]
    roles = ["user", "assistant"] * 3
    said = [{"role": r, "content": c} for r, c in zip(roles, entries, strict=False)]
    whole = story.codex([], "resp_3", input=said)
    assert story.link(second) == ("append", first)
    assert story.link(whole) == ("append", second)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_warm_up_is_no_turn_but_what_follows_knows_it(story, restarted):
    warm = story.codex(["Context."], "resp_0", "", generate=False)
    if restarted:
        story.restart()
    first = story.codex(["Why?"], "resp_1", "So.", previous_response_id="resp_0")
    whole = story.codex(["Context.", "Why?"], "resp_2")
    assert story.row(warm).head is None
    assert story.link(first) == ("root", None)
    assert story.link(whole) == ("retry", first)
    assert story.sessions(warm, first) == 1


@pytest.mark.parametrize(
    "aside",
    [
        {"max_tokens": 1},
        {"system": "Generate a short title for this conversation.", "tools": []},
        {"headers": [*SESSION, ("x-claude-code-request-class", "auxiliary")]},
    ],
)
def test_what_is_asked_beside_a_conversation_is_no_turn_of_it(story, aside):
    headers = aside.pop("headers", SESSION)
    first = story.claude(["Write a spool."], headers=SESSION)
    beside = story.claude(["Write a spool."], headers=headers, **aside)
    second = story.claude(["Write a spool.", "Yes.", "Thanks."], headers=SESSION)
    assert (story.row(beside).head, story.link(beside)) == (None, ("root", None))
    assert story.link(second) == ("append", first)
    assert story.sessions(first, beside, second) == 1


def test_an_aside_without_ids_is_in_the_session_it_is_about(story):
    first = story.claude(["Write a spool."])
    beside = story.claude(["Write a spool.", "Yes."], max_tokens=1)
    assert story.sessions(first, beside) == 1


def test_ids_overrule_what_was_said(story):
    other = [("x-claude-code-session-id", "aaaaaaaa-1111-4222-8333-944445555666")]
    story.claude(["Hello."], headers=SESSION)
    second = story.claude(["Hello."], headers=other)
    later = story.claude(["Hello.", "Yes.", "Well?"], headers=other)
    assert story.link(second) == ("root", None)
    assert story.link(later) == ("append", second)


def test_a_resumed_conversation_has_a_parent_in_another_session(story):
    other = [("x-claude-code-session-id", "aaaaaaaa-1111-4222-8333-944445555666")]
    first = story.claude(["Write it.", "Done.", "Thanks."], headers=SESSION)
    resumed = story.claude(["Write it.", "Done.", "Thanks.", "Yes.", "More."], headers=other)
    assert story.link(resumed) == ("append", first)
    assert story.sessions(first, resumed) == 2


def test_a_question_asked_again_much_later_is_another_session(story):
    first = story.claude(["Write a spool."])
    story.calls += [story.calls[0]] * 400
    second = story.claude(["Write a spool."])
    assert story.link(second) == ("root", None)
    assert story.sessions(first, second) == 2


def test_the_same_asked_of_two_models_is_two_conversations(story):
    first = story.claude(["Write a spool."])
    other = story.claude(["Write a spool."], model="n")
    assert story.link(other) == ("root", None)
    assert story.sessions(first, other) == 2


def test_another_model_that_steps_in_for_one_that_failed_repeats_its_request(story):
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    body = {"model": "m", "max_tokens": 900, "messages": [{"role": "user", "content": "Write."}]}
    first = story.call(body, failed, "anthropic.messages", "/v1/messages")
    second = story.claude(["Write."], model="n", tools=[])
    assert story.link(second) == ("retry", first)


def test_one_shots_with_examples_ask_the_store_once(story):
    for number in range(20):
        story.claude(["Two?", "2", "Three?", "3", f"{number}?"])
    assert story.ledger.queries == 0
