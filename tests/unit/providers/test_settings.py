import json

from llmproxy_core.providers.settings import session_hints, settings


def test_scalars_are_settings() -> None:
    body = {
        "temperature": 0.5,
        "stop": ["a", "b"],
        "logit_bias": None,
        "reasoning": {"effort": "low", "nested": {"a": 1}},
        "tools": [1],
        "schema": [{"a": 1}],
        "many": list(range(99)),
        "long": "x" * 999,
        "model": "m",
        "user": "u",
    }
    assert settings(body, frozenset({"tools"})) == {
        "temperature": 0.5,
        "stop": ["a", "b"],
        "reasoning.effort": "low",
        "long": "x" * 200,
    }


def test_sessions_are_found_where_clients_name_them() -> None:
    body = {
        "prompt_cache_key": "k",
        "previous_response_id": "resp_1",
        "conversation": {"id": "conv_1"},
        "user": "u",
        "metadata": {"session_id": "s", "user_id": "plain"},
        "client_metadata": {"thread-id": "t"},
    }
    assert session_hints(body) == {
        "prompt_cache_key": "k",
        "previous_response_id": "resp_1",
        "conversation": "conv_1",
        "user": "u",
        "metadata.user_id": "plain",
        "metadata.session_id": "s",
        "client_metadata.thread_id": "t",
    }
    assert session_hints({"conversation": "conv_1", "user": 7, "metadata": []}) == {
        "conversation": "conv_1"
    }


def test_claude_code_names_its_session_in_the_user_id() -> None:
    old = "user_0a_account_1b-2c_session_3d-4e"
    new = json.dumps({"device_id": "d", "account_uuid": "", "session_id": "3d-4e"})
    for user in (old, new):
        assert session_hints({"metadata": {"user_id": user}}) == {"metadata.user_id": "3d-4e"}
    for user in ("{broken", '{"a": 1}'):
        assert session_hints({"metadata": {"user_id": user}}) == {"metadata.user_id": user}
