import asyncio
import json

import pytest
from tornado.websocket import websocket_connect

from llmproxy_core.simulator import Simulator
from tests.unit.simulator.sockets import connected


@pytest.fixture(scope="module")
def provider():
    with Simulator() as simulator:
        yield simulator


async def events_of(socket, **body):
    await socket.write_message(json.dumps({"type": "response.create", "model": "gpt-5", **body}))
    events = []
    while (message := await socket.read_message()) is not None:
        events.append(json.loads(message))
        if events[-1]["type"] in ("response.completed", "error"):
            break
    return events


async def test_one_connection_answers_request_after_request(provider):
    async with connected(provider) as socket:
        for text in ("Why?", "And then?"):
            events = await events_of(socket, input=text)
            assert events[0]["type"] == "response.created"
            said = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
            assert events[-1]["response"]["output"][0]["content"][0]["text"] == said
    assert [seen.method for seen in provider.seen][-2:] == ["WEBSOCKET", "WEBSOCKET"]


async def test_what_is_no_request_is_an_error(provider):
    async with connected(provider) as socket:
        assert (await events_of(socket, type="nonsense"))[0]["type"] == "error"
        await socket.write_message("{")
        assert json.loads(await socket.read_message() or "{}")["type"] == "error"


async def test_a_connection_can_be_cut(provider):
    async with connected(provider, **{"x-simulate": "cut_after=3"}) as socket:
        assert len(await events_of(socket, input="Why?")) == 3
        assert socket.close_code == 1011


async def test_connections_end_when_the_provider_does():
    with Simulator() as own:
        socket = await websocket_connect(f"ws://127.0.0.1:{own.http_port}/v1/responses")
        await socket.write_message("{")
        assert await socket.read_message()
    assert await asyncio.wait_for(socket.read_message(), 60) is None
    socket.close()
