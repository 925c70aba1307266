import gzip
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace import facts
from llmproxy_core.namespace.folder import folder_in

SESSION = "3c8c8f21-d754-401a-9908-6b0583efaecb"
AZURE = "/openai/deployments/my-gpt/chat/completions?api-version=1"
ENVIRONMENT = "# Environment\n - Primary working directory: /srv/shop\n - Platform: linux\n"


def body(**values: Any) -> bytes:
    return json.dumps(values).encode()


def told(sent: bytes) -> list[str]:
    session = facts.session(sent)
    return [*session.ids, session.folder] if session.folder else session.ids


def form(*parts: str) -> bytes:
    return "".join(f"--x\r\nContent-Disposition: form-data; {part}\r\n" for part in parts).encode()


class TestModel:
    @pytest.mark.parametrize(
        ("path", "sent", "model"),
        [
            ("/v1/messages", body(model="claude-opus-5"), "claude-opus-5"),
            ("/v1/responses", body(input="hi", model="gpt-6"), "gpt-6"),
            ("/v1beta/models/gemini-3:generateContent?key=1", body(), "gemini-3"),
            ("/v1internal:generateContent", body(model="models/gemini-3"), "gemini-3"),
            ("/x/publishers/anthropic/models/claude@1:streamRawPredict", body(), "claude@1"),
            ("/model/arn%3Aaws%2Fx/converse", body(), "arn:aws/x"),
            (AZURE, body(messages=[]), "my-gpt"),
            (AZURE, body(model="gpt-6"), "gpt-6"),
            ("/v1/realtime?model=gpt-realtime", b"", "gpt-realtime"),
            (
                "/v1/audio",
                form('name="model"\r\n\r\nwhisper-1', 'name="file"\r\n\r\nabc'),
                "whisper-1",
            ),
            ("/v1/audio", form('name="file"\r\n\r\nabc'), None),
            ("/v1/responses", body(type="response.create", response={"model": "gpt-6"}), "gpt-6"),
            ("/v1/live", body(setup={"model": "models/gemini-live"}), "gemini-live"),
            ("/v1/messages", body(model=3), None),
            ("/v1/messages", b"", None),
            ("/v1/messages", b"[1]", None),
            ("/v1/messages", gzip.compress(body(model="a"), mtime=0), None),
        ],
    )
    def test_it_is_where_the_provider_wants_it(self, path, sent, model):
        assert facts.model(path, sent) == model

    @pytest.mark.parametrize("inside", [r"half of \ud83d", "\\n", "a\\u0000b"])
    def test_a_body_that_is_hard_to_read_names_it_all_the_same(self, inside):
        assert facts.model("/", b'{"x": "%b", "model": "gpt-6"}' % inside.encode()) == "gpt-6"

    def test_what_providers_do_not_look_at_names_no_other_model(self):
        sent = body(model="gpt-6", request={"model": "mini"}, session={"model": "mini"})
        assert facts.model("/v1/chat/completions", sent) == "gpt-6"
        assert facts.model("/v1/chat/completions?model=mini", sent) == "gpt-6"
        assert facts.model("/v1/messages?x=/models/mini:y", sent) == "gpt-6"

    @pytest.mark.parametrize("second", ["model", r"mod\u0065l"])
    def test_a_model_that_is_named_twice_is_none(self, second):
        sent = b'{"model": "mini", "%b": "gpt-6"}' % second.encode()
        assert facts.model("/v1/chat/completions", sent) is None
        assert facts.model("/v1/chat/completions", rb'{"model": "mini", "x": "\u00e9"}') == "mini"

    def test_a_byte_order_mark_is_passed_over(self):
        assert facts.model("/", b"\xef\xbb\xbf" + body(model="gpt-6")) == "gpt-6"


class TestSessions:
    @pytest.mark.parametrize(
        ("sent", "ids"),
        [
            (body(prompt_cache_key="k-1"), ["k-1"]),
            (body(metadata={"session_id": SESSION, "user_id": 3}), [SESSION]),
            (body(client_metadata={"session_id": SESSION, "thread_id": "t"}), [SESSION, "t"]),
            (body(conversation={"id": "conv_1"}), ["conv_1"]),
            (body(request={"session_id": SESSION, "contents": []}), [SESSION]),
            (body(metadata=[1], conversation=3, user=None), []),
            (body(), []),
            (b"nothing", []),
        ],
    )
    def test_ids_stand_where_clients_put_them(self, sent, ids):
        assert told(sent) == ids

    @pytest.mark.parametrize(
        "user", [f"user_ab_account_cd_session_{SESSION}", json.dumps({"session_id": SESSION})]
    )
    def test_claude_codes_user_is_there_whole_and_as_its_session(self, user):
        assert told(body(metadata={"user_id": user})) == [SESSION, user]


class TestFolder:
    @pytest.mark.parametrize(
        ("text", "folder"),
        [
            (ENVIRONMENT, "/srv/shop"),
            ("<env>\nWorking directory: /home/anna/a b\nPlatform: linux", "/home/anna/a b"),
            ("<env>\r\nWorking directory: C:\\work\\shop\r\nPlatform: x", "C:\\work\\shop"),
            ("<environment_context>\n  <cwd>/srv/shop</cwd>\n", "/srv/shop"),
            ("- **Workspace Directories:**\n  - /srv/shop\n  - /srv/b", "/srv/shop"),
            ("I'm currently working in the directory: /srv/shop\n", "/srv/shop"),
            ("- **Working Directory**: /srv/shop\n", "/srv/shop"),
            ("# Current Working Directory (/srv/shop) Files\na.py", "/srv/shop"),
            ("Working directory: `~/shop`.", "~/shop"),
            ("The working directory: ask for it. Then: Working directory: /a\n", "/a"),
            ("<cwd>/b</cwd> Working directory: /a\n", "/b"),
            ("Defaults to the current working directory.", None),
            ("Working directory: the one you like", None),
            ("", None),
        ],
    )
    def test_the_words_of_an_agent_name_it(self, text, folder):
        assert folder_in(text) == folder

    @pytest.mark.parametrize(
        "sent",
        [
            body(system=ENVIRONMENT, messages=[]),
            body(system=[{"type": "text", "text": "You are."}, {"text": ENVIRONMENT}]),
            body(messages=[{"role": "system", "content": ENVIRONMENT}]),
            body(messages=[{"role": "user", "content": [{"type": "text", "text": ENVIRONMENT}]}]),
            body(instructions=ENVIRONMENT, input="hi"),
            body(input=ENVIRONMENT),
            body(
                input=[{"role": "user", "content": [{"type": "input_text", "text": ENVIRONMENT}]}]
            ),
            body(systemInstruction={"parts": [{"text": ENVIRONMENT}]}),
            body(contents=[{"parts": [{"text": ENVIRONMENT}]}]),
            body(contents={"parts": [{"text": ENVIRONMENT}]}),
            body(
                model="m",
                request={"contents": [{"role": "user", "parts": [{"text": ENVIRONMENT}]}]},
            ),
        ],
    )
    def test_it_is_found_in_every_kind_of_prompt(self, sent):
        assert told(sent) == ["/srv/shop"]

    def test_instructions_come_before_what_a_person_says(self):
        said = {"role": "user", "content": "Working directory: /elsewhere"}
        instructed = {"role": "system", "content": ENVIRONMENT}

        assert told(body(messages=[said, instructed])) == ["/srv/shop"]

    def test_what_the_model_says_or_a_tool_found_does_not_count(self):
        said = {"role": "assistant", "content": ENVIRONMENT}
        result = {"type": "tool_result", "tool_use_id": "1", "content": ENVIRONMENT}
        found = {"role": "user", "content": [result]}

        assert told(body(messages=[said, found])) == []

    def test_only_the_beginning_of_a_conversation_is_read(self):
        turns = [{"role": "user", "content": "hi"}] * facts.TURNS

        assert told(body(messages=[*turns, {"content": ENVIRONMENT}])) == []


VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.just(ENVIRONMENT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text", "parts", "type", "id", "user_id"]), inner
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([*facts.IDS, *facts.PROMPTS, *facts.CONVERSATIONS, "request", "model"])


@given(st.binary() | st.dictionaries(KEYS, VALUES).map(lambda value: json.dumps(value).encode()))
def test_whatever_a_body_is_it_never_raises(sent):
    named = facts.model("/v1/messages", sent)

    assert named is None or isinstance(named, str)
    assert all(isinstance(one, str) for one in told(sent))


@pytest.mark.parametrize(
    "sent",
    [
        b'{"messages": ' + b"[" * 500_000,
        b'{"system": "' + b"Working directory: " * 100_000 + b'"}',
        b'{"messages": [' + b'{"content": "hi"},' * 100_000 + b"{}]}",
        b"--x" + b"\r\n" * 1_000_000,
    ],
    ids=["deep", "marks", "turns", "lines"],
)
def test_a_hostile_body_takes_linear_time(sent):
    started = time.process_time()
    facts.model("/v1/messages", sent)
    facts.session(sent)

    assert time.process_time() - started < 2
