"""One exchange for each response of a WebSocket session."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.hashing import content_hash
from llmproxy_core.pipeline import Head
from llmproxy_core.records import Answer, Closed, Opened, Piece
from llmproxy_core.websocket import WebSocketSession
from tests.unit.providers.corpus import FOLDER, lines, needs_corpus

REALTIME = "openai.realtime"


class Recorded:
    """A session of frames, and the exchanges that were written of it."""

    def __init__(self, wire: str, max_body: int = 2**20) -> None:
        head = Head(
            "127.0.0.1:1", None, None, "openai", wire, "https", "api.openai.com", 443,
            "GET", "/v1/realtime", "HTTP/1.1", [],
        )  # fmt: skip
        self.session = WebSocketSession(head, max_body, Answer(1, 101, "", "HTTP/1.1", []))
        self.opened: list[tuple[Opened, bytes]] = []
        self.answers: dict[bytes, bytes] = {}
        self.closed: list[Closed] = []

    def say(self, *, client: bool, **data: object) -> None:
        self.frame(client, json.dumps(data).encode())

    def frame(self, client: bool, data: bytes) -> None:
        side = "client" if client else "server"
        told = {"from": side, "type": "text", "at": 1, "data": data.decode()}
        line = json.dumps(told).encode() + b"\n"
        self.take((self.session.client if client else self.session.server)(data, line))

    def take(self, written) -> None:
        for record, parts in written:
            body = b"".join(parts)
            if isinstance(record, Opened):
                self.opened.append((record, body))
            elif isinstance(record, Piece | Closed):
                self.answers[record.id] = self.answers.get(record.id, b"") + body
            if isinstance(record, Closed):
                self.closed.append(record)

    def types(self, body: bytes) -> list[str]:
        frames = [json.loads(line) for line in body.splitlines()]
        marks = {True: "+", False: ""}
        return [
            marks[frame.get("carried", False)] + json.loads(frame["data"])["type"]
            for frame in frames
        ]


def test_a_session_is_one_exchange_for_each_response() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=False, type="session.created")
    seen.say(client=True, type="session.update", session={"model": "m"})
    seen.say(client=False, type="session.updated")
    for _ in range(2):
        seen.say(client=True, type="conversation.item.create")
        seen.say(client=True, type="response.create")
        seen.say(client=False, type="response.created")
        seen.say(client=False, type="response.output_text.delta")
        seen.say(client=False, type="response.done")
    seen.take(seen.session.close("client_closed"))

    first, second = (seen.types(body) for _, body in seen.opened)
    item = ["conversation.item.create", "response.create"]
    assert first == ["session.created", "session.update", "session.updated", *item]
    assert second == ["+session.updated", "+session.update", *item]
    answer = ["response.created", "response.output_text.delta", "response.done"]
    assert [seen.types(seen.answers[record.id]) for record, _ in seen.opened] == [answer, answer]
    assert [record.ending for record in seen.closed] == ["complete", "complete"]


def test_hashes_and_lengths_are_those_of_the_frames() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=True, type="response.create")
    seen.say(client=False, type="response.done")

    opened, body = seen.opened[0]
    assert (opened.hash_out, opened.body_bytes) == (content_hash(body), len(body))
    closed, answer = seen.closed[0], seen.answers[opened.id]
    assert (closed.hash_in, closed.body_bytes) == (content_hash(answer), len(answer))


def test_what_a_client_sends_while_it_is_answered_belongs_to_its_next_turn() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=True, type="response.create")
    seen.say(client=False, type="response.created")
    seen.say(client=True, type="conversation.item.create")
    seen.say(client=True, type="response.create")
    seen.say(client=False, type="response.done")
    seen.say(client=False, type="response.created")
    seen.say(client=False, type="response.done")

    assert seen.types(seen.opened[1][1]) == ["conversation.item.create", "response.create"]
    assert len(seen.closed) == 2


def test_a_voice_that_nobody_asked_for_is_a_turn_too() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=True, type="input_audio_buffer.append")
    seen.say(client=False, type="input_audio_buffer.speech_stopped")
    seen.say(client=False, type="response.created")
    seen.say(client=False, type="response.done")

    assert seen.types(seen.opened[0][1])[0] == "input_audio_buffer.append"
    assert len(seen.closed) == 1


def test_a_session_that_ends_early_leaves_its_turn_as_it_is() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=True, type="response.create")
    seen.say(client=False, type="response.created")
    seen.say(client=True, type="conversation.item.create")
    seen.take(seen.session.close("server_closed", "gone"))

    assert [(c.ending, c.error) for c in seen.closed] == [("server_closed", "gone")] * 2
    assert seen.types(seen.opened[1][1]) == ["conversation.item.create"]


def test_what_the_provider_says_after_its_last_answer_is_no_call() -> None:
    seen = Recorded(REALTIME)
    seen.say(client=True, type="response.create")
    seen.say(client=False, type="response.done")
    seen.say(client=False, type="rate_limits.updated")
    seen.take(seen.session.close("client_closed"))

    assert len(seen.opened) == 1


def test_an_hour_of_sound_is_counted_but_not_kept() -> None:
    seen = Recorded(REALTIME, max_body=1000)
    for _ in range(1000):
        seen.say(client=True, type="input_audio_buffer.append", audio="x" * 50)
    seen.say(client=True, type="response.create")

    opened, body = seen.opened[0]
    assert opened.body_kept == "head"
    assert opened.body_bytes > 100_000
    assert len(body) <= 1000


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(
                ["response.create", "response.created", "response.done", "session.update", "x"]
            ),
        )
    )
)
def test_in_any_order_frames_of_turns_are_kept_once_and_answers_follow_requests(frames) -> None:
    seen = Recorded(REALTIME)
    for number, (client, kind) in enumerate(frames):
        seen.say(client=client, type=kind, number=number)
    seen.take(seen.session.close("client_closed"))

    bodies = [body for _, body in seen.opened] + list(seen.answers.values())
    told = [json.loads(line) for body in bodies for line in body.splitlines()]
    numbers = [json.loads(f["data"])["number"] for f in told if not f.get("carried")]
    assert len(numbers) == len(set(numbers))
    said = {n for n, (client, _) in enumerate(frames) if client}
    assert said <= set(numbers)
    assert len(seen.closed) == len(seen.opened)


@needs_corpus
def test_recorded_sessions_have_an_exchange_for_each_response() -> None:
    wires = {"gemini.live": "gemini.live"}
    sessions = 0
    for told in lines(FOLDER / "websocket.jsonl.gz"):
        seen = Recorded(wires.get(told["api"], REALTIME))
        responses = 0
        for message in told["messages"]:
            if message["kind"] != "message":
                continue
            data = message["data"]
            responses += message["direction"] == "received" and _ends(data)
            seen.frame(message["direction"] == "sent", json.dumps(data).encode())
        seen.take(seen.session.close("client_closed"))
        endings = [record.ending for record in seen.closed]
        assert endings.count("complete") == responses, told["source_path"]
        assert len(endings) <= responses + 1
        sessions += 1
    assert sessions == 50


def _ends(data: dict[str, object]) -> bool:
    content = data.get("serverContent")
    turn = isinstance(content, dict) and "turnComplete" in content
    return data.get("type") == "response.done" or turn or "toolCall" in data
