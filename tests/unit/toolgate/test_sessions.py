"""Every recorded WebSocket session, and those of the samples, through the gate."""

import json

from llmproxy_core.toolgate import Call, FrameGate
from tests.unit.providers.corpus import needs_corpus
from tests.unit.providers.sessions import Frame, frames_of, sessions, wire_of
from tests.unit.toolgate.gated import NO, released


def gated(wire: str, frames: list[Frame], judge) -> tuple[list[Frame], FrameGate]:
    gate = FrameGate(wire, judge)
    out: list[Frame] = []
    for client, data in frames:
        out += [(True, data)] if client else [(False, one) for one in gate.feed(data)]
    out += [(False, one) for one in gate.finish()]
    assert gate.fault is None, repr(gate.fault)
    return out, gate


@needs_corpus
def test_a_session_whose_calls_may_go_on_has_the_same_frames_and_only_texts_go_ahead():
    ahead = 0
    for session in sessions():
        frames = [one for one in frames_of(session) if not one[0]]
        out, _ = gated(wire_of(session), frames, released)
        assert sorted(out) == sorted(frames)
        of_calls = [one for one in frames if b"function_call" in one[1]]
        assert [one for one in out if b"function_call" in one[1]] == of_calls
        others = [one for one in frames if b"function_call" not in one[1]]
        assert [one for one in out if b"function_call" not in one[1]] == others
        ahead += out != frames
    assert 0 < ahead < 10


@needs_corpus
def test_in_a_session_whose_calls_are_denied_nothing_tells_of_them():
    calls: list[Call] = []

    def judge(call: Call) -> str:
        calls.append(call)
        return NO

    for session in sessions():
        before = len(calls)
        frames = frames_of(session)
        out, gate = gated(wire_of(session), frames, judge)
        told = [json.loads(data) for client, data in out if not client]
        for name in {call.name for call in calls[before:]}:
            assert not [one for one in told if _calls(one, name)], (session["source_path"], name)
        if len(calls) > before:
            assert any(NO in json.dumps(one) for one in told)
            assert len(gate.replies()) == (
                len(calls) - before if wire_of(session) == "gemini.live" else 0
            )
    assert len(calls) > 10


def _calls(told, name: str) -> bool:
    if isinstance(told, dict):
        kinds = ("function_call", None)
        if told.get("name") == name and told.get("type") in kinds and told.get("role") is None:
            return True
        return any(
            _calls(one, name) for key, one in told.items() if key not in ("session", "tools")
        )
    return isinstance(told, list) and any(_calls(one, name) for one in told)
