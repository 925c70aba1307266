import json

from llmproxy_core.experiments.assignment import arm
from llmproxy_core.experiments.begun import AGAIN, DAY, DAYS, Begun
from llmproxy_core.experiments.life import started
from llmproxy_core.experiments.roots import Root, root
from llmproxy_core.namespace.whole import fields_of

ASK = {"role": "user", "content": "Which river is longest?"}
SAID = {"role": "assistant", "content": "The Nile."}
OTHER = {"role": "assistant", "content": "The Amazon."}
MORE = {"role": "user", "content": "And in Europe?"}
NOW = 1_800_000_000.25


ALL = ("0199-e",)


def matching() -> tuple[str, ...]:
    return ALL


def chat(*messages, headers=()) -> Root:
    body = json.dumps({"messages": messages}).encode()
    return root("openai.chat", list(headers), fields_of(body), body)


def responses(**body) -> Root:
    data = json.dumps(body).encode()
    return root("openai.responses", [], fields_of(data), data)


def test_all_turns_of_a_conversation_have_its_root_and_beginning():
    begun = Begun(None, NOW)
    first = begun.find(chat(ASK), NOW, matching)

    assert first is not None
    assert first.begun == NOW
    assert begun.find(chat(ASK, SAID, MORE), NOW + 9, matching) == first
    assert begun.find(chat(ASK, SAID, MORE, OTHER, MORE), NOW + 99, matching) == first


def test_a_conversation_whose_beginning_was_not_seen_began_before():
    found = Begun(None, NOW).find(chat(ASK, SAID, MORE), NOW, matching)

    assert found is not None
    assert found.begun == 0


def test_one_that_begins_alike_later_does_not_make_an_earlier_one_younger():
    begun = Begun(None, NOW)
    begun.find(chat(ASK), NOW, matching)
    first = begun.find(chat(ASK, SAID, MORE), NOW + 1, matching)
    second = begun.find(chat(ASK), NOW + AGAIN + 1, matching)

    assert begun.find(chat(ASK, SAID, MORE, SAID, MORE), NOW + AGAIN + 2, matching) == first
    assert begun.find(chat(ASK, OTHER, MORE), NOW + AGAIN + 3, matching) == second
    assert first is not None
    assert second is not None
    assert (first.root, first.begun) == (second.root, second.begun - AGAIN - 1)


def test_a_request_that_is_sent_again_at_once_begins_nothing_new():
    begun = Begun(None, NOW)

    assert begun.find(chat(ASK), NOW, matching) == begun.find(chat(ASK), NOW + AGAIN, matching)


def test_what_begins_within_a_named_session_has_its_arm_and_a_beginning_of_its_own():
    headers = [("session-id", "0199a5b2-77aa-7c11-9d3e-1f2a3b4c5d6e")]
    begun = Begun(None, NOW)
    main = begun.find(chat(ASK, headers=headers), NOW, matching)
    other = begun.find(chat(MORE, headers=headers), NOW + DAY, lambda: ())

    assert main is not None
    assert other is not None
    assert main.root == other.root
    assert (main.experiments, other.experiments) == (ALL, ())
    assert begun.find(chat(ASK, SAID, MORE, headers=headers), NOW + DAY, matching) == main


def test_a_conversation_that_the_provider_keeps_begins_once():
    begun = Begun(None, NOW)
    first = begun.find(responses(input="Hi", conversation="conv_1"), NOW, matching)

    later = begun.find(responses(input="More", conversation="conv_1"), NOW + DAY, lambda: ())
    assert later == first


def test_what_a_conversation_matched_when_it_began_stays():
    begun = Begun(None, NOW)
    begun.find(chat(ASK), NOW, matching)
    begun.find(chat(MORE), NOW, lambda: ())
    later = [begun.find(chat(ask, SAID, MORE), NOW + 1, tuple) for ask in (ASK, MORE)]

    assert [one and one.experiments for one in later] == [ALL, ()]


def test_only_conversations_in_experiments_are_written(tmp_path):
    begun = Begun(tmp_path / "begun", NOW)
    begun.find(chat(ASK), NOW, lambda: ())
    assert not (tmp_path / "begun").exists()

    begun.find(chat(ASK), NOW + 2 * AGAIN, matching)
    begun.find(chat(ASK), NOW + 4 * AGAIN, lambda: ())
    begun.close()
    after = Begun(tmp_path / "begun", NOW).find(chat(ASK, SAID), NOW, matching)
    assert after is not None
    assert after.experiments == ()


def test_a_chain_of_answers_leads_to_its_conversation(tmp_path):
    begun = Begun(tmp_path / "begun", NOW)
    first = begun.find(responses(input="Hi"), NOW, matching)
    assert first is not None
    begun.answered("resp_1", first)
    second = begun.find(responses(input="More", previous_response_id="resp_1"), NOW + 1, matching)
    assert second == first
    begun.answered("resp_2", second)
    begun.close()

    after = Begun(tmp_path / "begun", NOW + 2)
    assert (
        after.find(responses(input="x", previous_response_id="resp_2"), NOW + 3, matching) == first
    )


def test_an_answer_that_is_not_known_leads_nowhere():
    begun = Begun(None, NOW)

    assert begun.find(responses(input="x", previous_response_id="resp_9"), NOW, matching) is None


def test_a_proxy_that_starts_again_knows_its_conversations(tmp_path):
    before = Begun(tmp_path / "begun", NOW)
    first = before.find(chat(ASK), NOW, matching)
    before.close()

    assert (
        Begun(tmp_path / "begun", NOW + 5).find(chat(ASK, SAID, MORE), NOW + 5, matching) == first
    )


def test_arms_are_the_same_after_a_restart(tmp_path, draft):
    experiment = started(draft, NOW - 1, "ann")
    before = Begun(tmp_path / "begun", NOW)
    asks = [{"role": "user", "content": f"What is {number}?"} for number in range(50)]
    arms = [
        arm(experiment, one.root, one.begun)
        for a in asks
        if (one := before.find(chat(a), NOW, matching))
    ]
    before.close()

    after = Begun(tmp_path / "begun", NOW + 5)
    found = [after.find(chat(ask, SAID, MORE), NOW + 5, matching) for ask in asks]
    assert set(arms) == {"control", "short"}
    assert [arm(experiment, one.root, one.begun) for one in found if one] == arms


def test_what_is_damaged_or_old_is_left_out(tmp_path):
    file = tmp_path / "begun"
    ask = chat(ASK)
    key = ask.keys[0].hex()
    lines = [
        f"{key} {key} {NOW - DAYS * DAY - 1:.3f} e",
        f"{key} {key} nan e",
        f"{key} 00 {NOW:.3f} e",
        f"{key} {key} {NOW:.3f}",
        "nonsense",
    ]
    file.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe torn")
    found = Begun(file, NOW).find(chat(ASK, SAID), NOW, matching)

    assert found is not None
    assert found.begun == 0


def test_the_file_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("llmproxy_core.experiments.begun.LINES", 10)
    begun = Begun(tmp_path / "begun", NOW)
    asks = [{"role": "user", "content": f"What is {number}?"} for number in range(35)]
    first = [begun.find(chat(ask), NOW, matching) for ask in asks]
    begun.close()
    after = Begun(tmp_path / "begun", NOW)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["begun", "begun.old"]
    assert [after.find(chat(ask, SAID), NOW, matching) for ask in asks[-15:]] == first[-15:]
    assert all(len(file.read_bytes().splitlines()) <= 10 for file in tmp_path.iterdir())
    assert (tmp_path / "begun").stat().st_mode & 0o777 == 0o600


def test_a_torn_line_does_not_swallow_the_next(tmp_path):
    file = tmp_path / "begun"
    file.write_bytes(b"abcd")
    begun = Begun(file, NOW)
    first = begun.find(chat(ASK), NOW, matching)
    begun.close()

    assert Begun(file, NOW).find(chat(ASK, SAID), NOW, matching) == first


def test_a_file_that_cannot_be_written_is_remembered_in_memory(tmp_path):
    begun = Begun(tmp_path / "missing" / "begun", NOW)
    first = begun.find(chat(ASK), NOW, matching)

    assert begun.find(chat(ASK, SAID, MORE), NOW + 1, matching) == first
