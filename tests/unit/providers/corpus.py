"""Recorded exchanges beside the checkout, and what each of them should be read as."""

import base64
import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core.model import Delta, Headers, Request, Response
from llmproxy_core.providers import catalogue
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.providers.reader import AnswerReader
from tests.corpora import CORPORA

ROOT = Path(__file__).parents[3]
FOLDER = CORPORA / "wire"
needs_corpus = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"no recorded exchanges at {FOLDER} (LLMPROXY_CORPORA names another)",
)

ENDS = catalogue.COMMON | catalogue.VERTEX | catalogue.BEDROCK

type Exchange = dict[str, Any]


@cache
def exchanges() -> list[Exchange]:
    """All of them, with `expected` added."""
    expected = {one["id"]: one for one in lines(FOLDER / "expected.jsonl.gz")}
    files = [f for f in sorted(FOLDER.glob("*.jsonl.gz")) if f.name[:4] not in ("expe", "webs")]
    return [one | {"expected": expected.get(one["id"])} for file in files for one in lines(file)]


def readable() -> list[Exchange]:
    """Those of the formats that are fully read."""
    return [one for one in exchanges() if wire_of(one) in FORMATS]


def wire_of(exchange: Exchange) -> str:
    """Our name: `PROVIDER.other` is told by the path, as in the proxy."""
    wire = str(exchange["wire"])
    if wire.endswith(".other"):
        path = path_of(exchange).partition("?")[0]
        return next((ours for end, ours in ENDS.items() if path.endswith(end)), wire)
    return "gemini" if wire.endswith("enerateContent") else wire


def lines(file: Path) -> Iterator[Exchange]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def body(exchange: Exchange, side: str) -> bytes:
    text = exchange[f"{side}_body"] or ""
    if exchange[f"{side}_body_encoding"] == "base64":
        return base64.b64decode(text)
    return str(text).encode("utf-8", "surrogatepass")


def headers(exchange: Exchange, side: str) -> Headers:
    return [(name, value) for name, value in exchange[f"{side}_headers"]]


def path_of(exchange: Exchange) -> str:
    return "/" + str(exchange["url"]).split("://", 1)[-1].partition("/")[2]


def request_of(exchange: Exchange) -> tuple[Request, str | None]:
    return read_request(
        wire_of(exchange),
        path_of(exchange),
        headers(exchange, "request"),
        body(exchange, "request"),
    )


def answer_of(
    exchange: Exchange, chunks: list[bytes] | None = None
) -> tuple[Response, list[Delta]]:
    reader = AnswerReader(
        wire_of(exchange),
        exchange["status"],
        headers(exchange, "response"),
        path_of(exchange),
    )
    deltas: list[Delta] = []
    for chunk in [body(exchange, "response")] if chunks is None else chunks:
        deltas += reader.feed(chunk)
    return reader.finish(), deltas


def joined(deltas: list[Delta]) -> dict[tuple[str, int], str]:
    texts: dict[tuple[str, int], str] = {}
    for delta in deltas:
        key = (delta.kind, delta.choice)
        texts[key] = texts.get(key, "") + delta.text
    return texts
