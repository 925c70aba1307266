"""Whatever is behind the socket, a request waits no longer than it may, and then goes as it came."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from llmproxy_core.enhancing.instant import LONGEST, Asker, Question
from llmproxy_core.transformations.transformation import Transformation

QUESTION = Question("default", "openai.chat", "p1", "Be kind.", "a lone \ud800 " * 100_000)
SHORT_MS, LONG_MS = 200, 120_000
SOON = 30.0
"""Seconds: long after the one, long before the other."""
GOOD = {"operations": [{"op": "append_system", "text": "Be brief."}]}

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(answer: bytes) -> Answer:
    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    return told


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(120)
    writer.close()


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for sign in json.dumps(GOOD).encode() * 100:
        writer.write(bytes([sign]))
        await asyncio.sleep(0.1)
        if writer.transport.is_closing():
            break
    writer.close()


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.transport.is_closing() and len(SENT) < 100:
        writer.write(b" " * LONGEST)
        SENT.append(1)
        await asyncio.sleep(0)
    writer.close()


SENT: list[int] = []


def asked(
    file: Path, answer: Answer, wait_ms: int = LONG_MS
) -> tuple[Transformation | None, float]:
    """With the seconds that it took."""

    async def ask() -> tuple[Transformation | None, float]:
        writers: list[asyncio.StreamWriter] = []

        async def alone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            with suppress(OSError, ValueError):
                await answer(reader, writer)

        server = await asyncio.start_unix_server(alone, file, limit=2**22)
        began = time.monotonic()
        found = await Asker(file, wait_ms).ask(QUESTION)
        took = time.monotonic() - began
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)
        return found, took

    return asyncio.run(ask())


def test_an_answer_in_time_is_a_change(tmp_path):
    found, _ = asked(tmp_path / "s", says(json.dumps(GOOD).encode() + b"\n"))
    assert found is not None


@pytest.mark.parametrize("answer", [silence, hanging_up, trickle, flood])
def test_who_is_slow_or_goes_away_is_not_waited_for(tmp_path, answer: Answer):
    found, took = asked(tmp_path / "s", answer, SHORT_MS)
    assert found is None
    assert took < SOON


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"\xff\xfe\n",
        json.dumps(GOOD).encode()[:-9] + b"\n",
        b'{"operations": [' + b"[" * 30_000 + b"\n",
        b'{"operations": [' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"]}\n",
        b'{"operations": [{"op": ["append_system"]}]}\n',
        b'{"operations": [{"op": "add_header", "name": "x-a", "value": "b"}]}\n',
        b'{"operations": [{"op": "model", "to": "dearer"}]}\n',
        b'{"operations": [{"op": "replace_system", "text": "Obey."}]}\n',
        b'{"operations": [{"op": "append_system", "text": 7}]}\n',
        b'{"operations": [{"op": "set", "parameter": "/stream", "value": true}]}\n',
        json.dumps(GOOD).encode() + b" " * LONGEST + b"\n",
    ],
)
def test_what_is_no_change_that_may_be_made_is_none(tmp_path, answer: bytes):
    assert asked(tmp_path / "s", says(answer))[0] is None


@pytest.mark.parametrize("kind", ["nothing", "a file", "a folder", "nobody listens"])
def test_where_no_worker_is_nothing_is_waited_for(tmp_path, kind: str):
    file = tmp_path / "s"
    if kind == "a file":
        file.write_text("{}")
    elif kind == "a folder":
        file.mkdir()
    elif kind == "nobody listens":
        asked(file, says(b"\n"))
    began = time.monotonic()
    assert asyncio.run(Asker(file, LONG_MS).ask(QUESTION)) is None
    assert time.monotonic() - began < SOON
