"""mitmproxy's flow files, read by a process of its own: `addons/flowfile.py` knows mitmproxy."""

import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import msgspec

from llmproxy_core.errors import InterchangeError
from llmproxy_core.interchange.incoming.frames import Frame, responses
from llmproxy_core.interchange.incoming.parsed import UNREADABLE, words
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import Source
from llmproxy_core.providers.catalogue import UPGRADES

SIZE = struct.Struct(">I")
COMMAND = [sys.executable, "-m", "addons.flowfile"]
SECOND = 10**9


class Flow(msgspec.Struct):
    kind: str = ""
    end: str = ""
    id: str | None = None
    client: str = ""
    url: str = ""
    hosts: list[str] = []
    method: str = ""
    http_version: str = "HTTP/1.1"
    request_headers: list[tuple[str, str]] = []
    request_body: bytes | None = None
    started_at: float | None = None
    status: int = 0
    reason: str = ""
    response_headers: list[tuple[str, str]] = []
    response_body: bytes | None = b""
    trailers: list[tuple[str, str]] = []
    first_at: float | None = None
    ended_at: float | None = None
    error: str | None = None
    ending: str = ""
    frames: list[tuple[bool, bool, bytes, float]] | None = None


_decode = msgspec.msgpack.Decoder(Flow).decode


def recordings(source: Source) -> Iterator[Recording | Skipped]:
    """Raises InterchangeError where the file cannot be read any further."""
    number = 0
    with _Child(source) as child:
        for number, told in enumerate(child.flows(), 1):
            place = f"flow {number}"
            try:
                flow = _decode(told)
            except UNREADABLE as exc:
                yield Skipped(place, words(exc))
                continue
            if flow.end == "ok":
                return
            if flow.end:
                child.raise_damage()
                raise InterchangeError(
                    f"{source.name}: cannot be read after flow {number - 1}: {flow.end} "
                    "Was it cut, or is it no flow file? What was before is imported."
                )
            try:
                yield from _read(place, flow)
            except UNREADABLE as exc:
                yield Skipped(place, words(exc))
    raise InterchangeError(f"{source.name}: the reader of flow files died after flow {number}")


class _Child:
    """The process, and the thread that feeds it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._damage: InterchangeError | None = None
        self._process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> "_Child":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _open(pipe).close()

    def flows(self) -> Iterator[bytes]:
        out = _open(self._process.stdout)
        while len(size := out.read(SIZE.size)) == SIZE.size:
            yield out.read(SIZE.unpack(size)[0])
        self.raise_damage()

    def raise_damage(self) -> None:
        """What was wrong with the file before mitmproxy saw it: damaged gzip."""
        self._thread.join()
        if self._damage:
            raise self._damage

    def _feed(self) -> None:
        pipe = _open(self._process.stdin)
        try:
            for block in self._source.blocks():
                pipe.write(block)
        except InterchangeError as exc:
            self._damage = exc
        except OSError:
            return  # it has ended, and says why
        with suppress(OSError):
            pipe.close()


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise InterchangeError("the reader of flow files has no pipe")
    return pipe


def _read(place: str, flow: Flow) -> Iterator[Recording | Skipped]:
    if flow.kind != "http":
        yield Skipped(place, f"not HTTP: {flow.kind}", damaged=False)
        return
    recording = _exchange(place, flow)
    if flow.frames is None:
        yield recording
        return
    path = flow.url.partition("?")[0].rstrip("/")
    recording.wire = next((wire for end, wire in UPGRADES.items() if path.endswith(end)), "")
    frames = [Frame(ours, data, _ns(at), text) for ours, text, data, at in flow.frames]
    yield from responses(recording, frames)


def _exchange(place: str, flow: Flow) -> Recording:
    return Recording(
        place=place,
        url=flow.url,
        method=flow.method,
        external_id=flow.id,
        at=_ns(flow.started_at),
        first_at=_ns(flow.first_at),
        ended_at=_ns(flow.ended_at),
        client=flow.client or "import",
        other_hosts=flow.hosts,
        http_version=flow.http_version,
        request_headers=flow.request_headers,
        request_body=flow.request_body,
        status=flow.status,
        reason=flow.reason,
        response_headers=flow.response_headers,
        response_body=flow.response_body,
        trailers=flow.trailers,
        ending=flow.ending,
        error=flow.error,
    )


def _ns(seconds: float | None) -> int:
    return int(seconds * SECOND) if seconds and seconds > 0 else 0
