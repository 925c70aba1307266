"""A server that speaks OpenRouter's wire, as far as the advisor meets it; errors included.

Shapes as in openrouter.ai/docs: "API Reference", "Errors", "Usage Accounting".
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

type Headers = dict[str, str]


@dataclass
class Asked:
    """A request that came."""

    headers: Headers
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def texts(self) -> list[str]:
        return [message["content"] for message in self.body["messages"]]


@dataclass
class Answer:
    """`cut`: the bytes after which the connection breaks; `pause`: seconds before the answer, which
    may be made shorter while it lasts."""

    status: int = 200
    body: bytes = b"{}"
    headers: Headers = field(default_factory=dict)
    cut: int | None = None
    pause: float = 0.0


def said(text: str | None, usd: float | None = 0.001, **usage: Any) -> Answer:
    told: dict[str, Any] = {"prompt_tokens": 300, "completion_tokens": 20, **usage}
    if usd is not None:
        told["cost"] = usd
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "native_finish_reason": "end_turn"}
    body = {
        "id": "gen-1",
        "provider": "Anthropic",
        "model": "anthropic/claude-sonnet-4.5",
        "object": "chat.completion",
        "choices": [{**choice, "message": message}],
        "usage": told,
    }
    return Answer(200, json.dumps(body).encode())


def fails(
    status: int, message: str, code: int | None = None, http: int | None = None, **headers: str
) -> Answer:
    error: dict[str, Any] = {"message": message, "code": code or status}
    if status == 403:
        error["metadata"] = {"reasons": ["violence"], "flagged_input": message}
    body = json.dumps({"error": error, "user_id": "user_1"}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(http or status, body, named)


class OpenRouter:
    """Gives the answers in turn, the last one again and again; or what a function makes of what
    was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer | Callable[[Asked], Answer]] = [said("{}")]
        self.url = ""
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api/v1"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while asked := await _read(reader):
                self.asked.append(asked)
                turn = min(len(self.asked), len(self.answers)) - 1
                answer = self.answers[turn]
                if not isinstance(answer, Answer):
                    answer = answer(asked)
                await _pause(answer)
                data = _head(answer) + answer.body
                writer.write(data if answer.cut is None else data[: answer.cut])
                await writer.drain()
                if answer.cut is not None:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the advisor has hung up, or the test is over
        finally:
            writer.close()


async def _pause(answer: Answer) -> None:
    began = time.monotonic()
    while (left := began + answer.pause - time.monotonic()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, 0.02))


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    first = await reader.readline()
    if not first:
        return None
    assert first.split()[:2] == [b"POST", b"/api/v1/chat/completions"], first
    headers = {}
    while (line := (await reader.readline()).decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(headers, await reader.readexactly(int(headers["content-length"])))


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Whatever", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode()
