"""Secrets to be planted in calls, and a search for what of them has reached the disk."""

import json
import random
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import hyperscan
import zstandard

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.rule import rules
from tests.unit.anomaly.secrets.secret_samples import name, sample

RUN = 12
"""Characters of a secret of which none may be on the disk in a row, give or take STEP."""
STEP = 5
PUBLIC = frozenset(
    {"slack-webhook-url", "discord-webhook", "microsoft-teams-webhook", "facebook-access-token"}
)
"""Their first part is an address that everybody knows, or a number."""
ZSTD = b"\x28\xb5\x2f\xfd"
BLOCK, OVERLAP = 2**26, 2**10


class Canary(NamedTuple):
    """`text`: a sentence that tells it to be a secret, with `value` in it. `public`: another of its
    kind: what both have is no secret."""

    kind: str
    value: str
    text: str
    public: str


def canaries(count: int, seed: int = 1) -> list[Canary]:
    """Of as many kinds as there are, each different; all are found by their sentences."""
    rng = random.Random(seed)
    kinds = [rule for rule in rules() if rule.id not in PUBLIC]
    made: dict[str, Canary] = {}
    for number in range(count * 20):
        rule = kinds[number % len(kinds)]
        value, called = sample(rule, rng), name(rule, rng)
        text = f'Set {called}_key="{value}" and go on' if called else f"Use {value} and go on"
        if len(value) >= RUN + STEP and "\n" not in value and _is_found(text, value):
            made.setdefault(value, Canary(rule.id, value, text, sample(rule, rng)))
        if len(made) == count:
            break
    return list(made.values())


def _is_found(text: str, value: str) -> bool:
    start = text.index(value)
    return any(
        one.start <= start and start + len(value) <= one.end for one in SECRETS.find(Text(text))
    )


class Search:
    """For runs of their values in all spellings."""

    def __init__(self, made: list[Canary]) -> None:
        self._literals = sorted({spelled for one in made for spelled in _spelled(one)})
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[re.escape(one) for one in self._literals],
            ids=list(range(len(self._literals))),
            elements=len(self._literals),
            flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(self._literals),
        )

    def leaks(self, data: bytes) -> set[bytes]:
        found: set[bytes] = set()

        def note(number: int, *_: object) -> None:
            found.add(self._literals[number])

        for at in range(0, len(data), BLOCK):
            self._database.scan(data[at : at + BLOCK + OVERLAP], match_event_handler=note)
        return found

    def in_folder(self, folder: Path) -> dict[str, set[bytes]]:
        """By file; what is compressed with zstd is looked into as well."""
        found = dict[str, set[bytes]]()
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                try:
                    data = file.read_bytes()
                except FileNotFoundError:  # Postgres has taken it away
                    continue
                leaks = self.leaks(data) | self.leaks(b"\n".join(_unpacked(data)))
                if leaks:
                    found[str(file.relative_to(folder))] = leaks
        return found


def _spelled(canary: Canary) -> Iterator[bytes]:
    """Runs of it as they are, escaped, percent-encoded, in base64 and in hexadecimal."""
    value = canary.value
    for at in range(0, len(value) - RUN + 1, STEP):
        run = value[at : at + RUN]
        if run in canary.public:
            continue
        yield run.encode()
        yield json.dumps(run)[1:-1].encode()
        yield json.dumps(json.dumps(run))[3:-3].encode()
        yield quote(run, safe="").encode()
        yield run.encode().hex().encode()
        yield run.encode().hex().upper().encode()
        for shift in range(3):
            first, last = -(-8 * shift // 6), 8 * (shift + RUN) // 6
            core = b64encode(b"\0" * shift + run.encode() + b"\0\0")[first:last]
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")


def _unpacked(data: bytes) -> Iterator[bytes]:
    at = data.find(ZSTD)
    while at >= 0:
        with suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompressobj().decompress(data[at : at + 2**20])
        at = data.find(ZSTD, at + 1)


class Planted(NamedTuple):
    """A request with a canary in it."""

    url: str
    headers: dict[str, str]
    body: bytes


HOSTS = {
    "chat": "https://api.openai.com/v1/chat/completions",
    "responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:",
    "ollama": "http://localhost:11434/api/chat",
    "cohere": "https://api.cohere.com/v2/chat",
    "converse": "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2/",
    "invoke": "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2/",
}
PLACES = ("user", "system", "tool", "result", "arguments", "unknown", "header", "url", "name")


def planted(wire: str, place: str, text: str, *, stream: bool, how: str) -> Planted:
    """The text at this place; the provider says again what the user said."""
    said = text if place == "user" else "nothing to see here"
    body = BODIES[wire](said, place, text)
    if place == "unknown":
        body["x_more"] = {"deep": [{"er": text}]}
    if place == "name":
        body["x_more"] = {text: {"a": 1}}
    url = HOSTS[wire] + ENDS.get(wire, ("", ""))[stream]
    if wire in ("chat", "responses", "anthropic", "ollama", "cohere"):
        body["stream"] = stream
    if place == "url":
        url += ("&" if "?" in url else "?") + f"note={quote(text)}"
    headers = {"x-simulate": how, "content-type": "application/json"}
    if place == "header":
        headers["x-note"] = quote(text, safe=' "=-_.~+/:@$')
    return Planted(url, headers, json.dumps(body).encode())


ENDS = {
    "gemini": ("generateContent", "streamGenerateContent?alt=sse"),
    "converse": ("converse", "converse-stream"),
    "invoke": ("invoke", "invoke-with-response-stream"),
}


def _chat(said: str, place: str, text: str) -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": said}]
    if place == "system":
        messages.insert(0, {"role": "system", "content": text})
    if place in ("result", "arguments"):
        arguments = json.dumps({"q": text if place == "arguments" else "x"})
        call: dict[str, Any] = {"id": "call_1", "type": "function"}
        call |= {"function": {"name": "find", "arguments": arguments}}
        messages.insert(0, {"role": "assistant", "content": None, "tool_calls": [call]})
        result = text if place == "result" else "x"
        messages.insert(1, {"role": "tool", "tool_call_id": "call_1", "content": result})
    body: dict[str, Any] = {"model": "gpt-5", "messages": messages}
    if place == "tool":
        schema = {"type": "object", "properties": {"q": {"type": "string", "default": text}}}
        function = {"name": "find", "description": text, "parameters": schema}
        body["tools"] = [{"type": "function", "function": function}]
    return body


def _responses(said: str, place: str, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "gpt-5", "input": [{"role": "user", "content": said}]}
    if place == "system":
        body["instructions"] = text
    if place in ("result", "arguments"):
        arguments = json.dumps({"q": text if place == "arguments" else "x"})
        call = {"type": "function_call", "call_id": "c1", "name": "find", "arguments": arguments}
        result = text if place == "result" else "x"
        output = {"type": "function_call_output", "call_id": "c1", "output": result}
        body["input"] = [call, output, *body["input"]]
    if place == "tool":
        body["tools"] = [{"type": "function", "name": "find", "description": text}]
    return body


def _anthropic(said: str, place: str, text: str) -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": said}]}]
    body: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": messages}
    if place == "system":
        body["system"] = [{"type": "text", "text": text}]
    if place in ("result", "arguments"):
        call: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "find"}
        call |= {"input": {"q": text if place == "arguments" else "x"}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1"}
        result |= {"content": text if place == "result" else "x"}
        messages.insert(0, {"role": "assistant", "content": [call]})
        messages[1]["content"].insert(0, result)
        messages.insert(0, {"role": "user", "content": "go"})
    if place == "tool":
        body["tools"] = [{"name": "find", "description": text, "input_schema": {"type": "object"}}]
    return body


def _gemini(said: str, place: str, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": said}]}]}
    if place == "system":
        body["systemInstruction"] = {"parts": [{"text": text}]}
    if place in ("tool", "result", "arguments"):
        body["tools"] = [{"functionDeclarations": [{"name": "find", "description": text}]}]
    return body


def _converse(said: str, place: str, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": said}]}]}
    if place in ("system", "tool", "result", "arguments"):
        body["system"] = [{"text": text}]
    return body


BODIES = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "ollama": _chat,
    "cohere": _chat,
    "converse": _converse,
    "invoke": lambda *all: {**_anthropic(*all), "anthropic_version": "bedrock-2023-05-31"},
}
