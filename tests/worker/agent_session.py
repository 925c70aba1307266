"""A long session of a coding agent, as Claude Code has it, made of what the corpus says.

Every turn sends all of the session again: 20 tools, three blocks of system (the first of which is
another one each time), and the messages, of which the last two have a cache mark. Answers are
streamed. Sub-agents have a system and a prompt of their own. Deterministic.
"""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.records import Answer, Answered, Closed, Opened, Piece
from llmproxy_core.worker.identity import dated
from tests.unit.providers.corpus import FOLDER
from tests.worker.traffic import MS, NOON, SECOND, Recorded

SESSION = "0f4ad1b2-5f5e-4c0e-9d4b-6b1a2c3d{:04x}"
SUBAGENTS = 30
MARK = {"cache_control": {"type": "ephemeral"}}
FILES = ("spool/writer", "store/reads", "cli/app", "tui/feed", "worker/main", "config", "model")
PARTS = ("messages", "input", "contents", "choices", "content", "output", "candidates", "message")
SAID = ("text", "content", "arguments", "thinking", "output")
WORDS = (
    *("the", "file", "has", "been", "read", "and", "test", "for", "this", "function", "returns"),
    *("value", "from", "cache", "when", "key", "is", "missing", "then", "we", "should", "update"),
    *("import", "path", "before", "running", "build", "again", "with", "new", "option"),
)


def texts() -> list[str]:
    """Messages, answers and results of tools in the recorded exchanges; made up without them."""
    if FOLDER.is_dir():
        return _recorded()
    dice = random.Random(5)
    sizes = [dice.choice((100, 200, 600, 3000)) for _ in range(1500)]
    return [
        " ".join(f"{dice.choice(WORDS)}{dice.getrandbits(6):x}" for _ in range(size // 8))
        for size in sizes
    ]


@cache
def _recorded() -> list[str]:
    found: dict[str, None] = {}
    for file in sorted(FOLDER.glob("*.jsonl.gz")):
        if file.name.startswith(("expected", "websocket")):
            continue
        with gzip.open(file, "rt", encoding="utf-8") as exchanges:
            for line in exchanges:
                exchange = json.loads(line)
                for side in ("request_body", "response_body"):
                    _said(exchange[side] or "", found)
    return list(found)


def _said(body: str, found: dict[str, None]) -> None:
    try:
        value = json.loads(body)
    except ValueError:
        return
    stack = [("", value[key]) for key in PARTS if isinstance(value, dict) and key in value]
    while stack:
        name, one = stack.pop()
        if isinstance(one, str):
            if name in SAID and len(one) >= 40 and not one.startswith("data:"):
                found[one] = None
        elif isinstance(one, dict):
            stack += one.items()
        elif isinstance(one, list):
            stack += [(name, item) for item in one]


class Deck:
    """All texts in a random order; when they have all been said, again in another one."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._left: list[str] = []

    def prose(self, size: int) -> str:
        """About `size` characters."""
        out: list[str] = []
        while size > 0:
            if not self._left:
                self._left = list(texts())
                self._dice.shuffle(self._left)
            text = self._left.pop()
            if len(text) > size + 400:
                self._left.append(text[size:])
                text = text[:size]
            out.append(text)
            size -= len(text) + 1
        return "\n".join(out)


@dataclass
class Agent:
    """One thread of messages; `seed` makes it another one."""

    seed: int
    deck: Deck
    agent_id: str | None = None
    prompt: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    turn: int = 0

    def __post_init__(self) -> None:
        self.session = SESSION.format(self.seed // 1000 or self.seed)
        self.dice = random.Random(self.seed)
        prompt = self.prompt or self.prose(600)
        self.system: list[dict[str, Any]] = [
            {
                "type": "text",
                "text": "",
            },
            {"type": "text", "text": "You are an agent that " + self.prose(80)},
            {"type": "text", "text": self.prose(3000 if self.agent_id else 14_000), **MARK},
        ]
        self.messages.append({"role": "user", "content": [{"type": "text", "text": prompt}]})

    def prose(self, size: int) -> str:
        return self.deck.prose(size)

    def body(self) -> bytes:
        self.turn += 1
        stamp = f"{self.dice.getrandbits(20):05x}"
        self.system[0]["text"] = (
            f"x-anthropic-billing-header: cc_version=2.0.14.{stamp}; cch={stamp};"
        )
        last = len(self.messages) - 3
        messages = [
            {**m, "content": [*m["content"][:-1], {**m["content"][-1], **MARK}]}
            if n >= last and m["role"] == "user"
            else m
            for n, m in enumerate(self.messages)
        ]
        sent = {
            "model": "claude-haiku-4-5" if self.agent_id else "claude-sonnet-4-5",
            "messages": messages,
            "system": self.system,
            "tools": tools()[:8] if self.agent_id else tools(),
            "metadata": {"user_id": f"user_0a1b_account__session_{self.session}"},
            "max_tokens": 32000,
            "stream": True,
        }
        return json.dumps(sent, separators=(",", ":"), ensure_ascii=False).encode()

    def reply(self, tool: str = "", arguments: dict[str, Any] | None = None) -> list[bytes]:
        """Say something and call a tool; the answer in pieces."""
        text = self.prose(self.dice.randrange(150, 900))
        tool = tool or self.dice.choice(("Read", "Bash", "Edit", "Grep"))
        call = f"toolu_01{self.dice.getrandbits(96):024x}"
        where = f"/home/dev/project/llmproxy_core/{self.dice.choice(FILES)}.py"
        given = arguments or {"file_path": where, "offset": self.dice.randrange(400)}
        if tool == "Edit" and arguments is None:
            given = {
                "file_path": where,
                "old_string": self.prose(150),
                "new_string": self.prose(300),
            }
        content = [
            {"type": "text", "text": text},
            {"type": "tool_use", "id": call, "name": tool, "input": given},
        ]
        self.messages.append({"role": "assistant", "content": content})
        return self.stream(text, call, tool, json.dumps(given, ensure_ascii=False))

    def result(self, text: str = "") -> None:
        call = self.messages[-1]["content"][-1]["id"]
        text = text or self.prose(self.dice.randrange(1500, 4500))
        block = {"tool_use_id": call, "type": "tool_result", "content": text}
        self.messages.append({"role": "user", "content": [block]})

    def stream(self, text: str, call: str, tool: str, arguments: str) -> list[bytes]:
        seen = 2000 + 1100 * self.turn
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": self.dice.randrange(800, 2000),
            "cache_read_input_tokens": seen,
            "cache_creation": {"ephemeral_5m_input_tokens": 1200, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
        }
        message: dict[str, Any] = {
            "model": "claude-sonnet-4-5-20250929",
            "id": f"msg_01{self.dice.getrandbits(88):022x}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        out = [event("message_start", message=message)]
        out.append(
            event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        )
        out.append(b'event: ping\ndata: {"type": "ping"}\n\n')
        for piece in self.pieces(text):
            out.append(
                event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            )
        out.append(event("content_block_stop", index=0))
        block = {"type": "tool_use", "id": call, "name": tool, "input": {}}
        out.append(event("content_block_start", index=1, content_block=block))
        for piece in ["", *self.pieces(arguments)]:
            delta = {"type": "input_json_delta", "partial_json": piece}
            out.append(event("content_block_delta", index=1, delta=delta))
        out.append(event("content_block_stop", index=1))
        end = {"stop_reason": "tool_use", "stop_sequence": None}
        out.append(
            event("message_delta", delta=end, usage=usage | {"output_tokens": len(text) // 4})
        )
        return [*out, event("message_stop")]

    def pieces(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            size = self.dice.randrange(3, 40)
            yield text[at : at + size]
            at += size


@dataclass
class Sent:
    """A call of the session."""

    agent: Agent
    body: bytes
    answer: bytes
    records: list[Recorded]


def session(
    turns: int, subagents: int = SUBAGENTS, seed: int = 1, begin: int = NOON
) -> Iterator[Sent]:
    """The calls of a session in order; the last of its `turns` has all messages."""
    deck = Deck(seed)
    main = Agent(seed, deck)
    clock = [begin]
    every = max(1, turns // max(1, subagents))
    started = 0
    for turn in range(turns):
        if started < subagents and turn % every == every // 2:
            started += 1
            child = Agent(1000 * seed + started, deck, f"agent-{started:04x}", main.prose(500))
            given = {"description": "look", "prompt": child.prompt, "subagent_type": "Explore"}
            yield sent(main, clock, main.body(), main.reply("Task", given))
            for _ in range(2):
                body = child.body()
                yield sent(child, clock, body, child.reply())
                child.result()
            main.result(child.messages[-2]["content"][0]["text"])
        else:
            yield sent(main, clock, main.body(), main.reply())
            main.result()


def sent(agent: Agent, clock: list[int], body: bytes, events: list[bytes]) -> Sent:
    clock[0] += 20 * SECOND + agent.dice.randrange(SECOND)
    at, answer = clock[0], b"".join(events)
    id = dated(at, agent.session, at).bytes
    digest = content_hash(body)
    opened = Opened(
        id=id, at=at, namespace="default", client=f"127.0.0.1:{agent.dice.randrange(30_000, 60_000)}",
        proxy_user=None, credential="fp_0123456789ab", provider="anthropic",
        wire="anthropic.messages", scheme="https", host="api.anthropic.com", port=443,
        method="POST", path="/v1/messages?beta=true", http_version="HTTP/1.1",
        headers=asking(agent, len(body)), body_bytes=len(body), body_kept="full",
        hash_in=digest, hash_out=digest,
    )  # fmt: skip
    head = Answer(at + 900 * MS, 200, "OK", "HTTP/1.1", answering(agent))
    records: list[Recorded] = [(opened, body), (Answered(id, head), b"")]
    step = max(1, len(events) // 10)
    for n in range(0, len(events), step):
        piece = b"".join(events[n : n + step])
        records.append((Piece(id, at + (1000 + 5 * n) * MS, [(len(piece), 0)]), piece))
    digest = content_hash(answer)
    closed = Closed(
        id=id, at=at + (1100 + 5 * len(events)) * MS, ending="complete", error=None, answer=None,
        first_at=at + 1000 * MS, marks=[], body_bytes=len(answer), body_kept="full",
        hash_in=digest, hash_out=digest, trailers=[],
    )  # fmt: skip
    return Sent(agent, body, answer, [*records, (closed, b"")])


def asking(agent: Agent, length: int) -> Headers:
    named = [("x-claude-code-agent-id", agent.agent_id)] if agent.agent_id else []
    return [
        ("accept", "application/json"),
        ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("anthropic-version", "2023-06-01"),
        ("authorization", "fp_0123456789ab"),
        ("content-type", "application/json"),
        ("user-agent", "claude-cli/2.0.14 (external, cli)"),
        ("x-app", "cli"),
        ("x-claude-code-session-id", agent.session),
        *named,
        ("x-stainless-arch", "x64"),
        ("x-stainless-lang", "js"),
        ("x-stainless-os", "Linux"),
        ("x-stainless-package-version", "0.60.0"),
        ("x-stainless-retry-count", "0"),
        ("x-stainless-runtime", "node"),
        ("x-stainless-runtime-version", "v22.19.0"),
        ("x-stainless-timeout", "600"),
        ("accept-language", "*"),
        ("accept-encoding", "identity"),
        ("host", "api.anthropic.com"),
        ("content-length", str(length)),
    ]


def answering(agent: Agent) -> Headers:
    dice = agent.dice
    return [
        ("Date", f"Sun, 22 Nov 2026 {dice.randrange(24):02}:{dice.randrange(60):02}:07 GMT"),
        ("Content-Type", "text/event-stream; charset=utf-8"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive"),
        ("Cache-Control", "no-cache"),
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-5h-status", "allowed"),
        ("anthropic-ratelimit-unified-5h-reset", "1795003200"),
        ("anthropic-ratelimit-unified-5h-utilization", f"0.{dice.randrange(1000):03}"),
        ("request-id", f"req_011C{dice.getrandbits(80):020x}"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("anthropic-organization-id", "6b1a2c3d-4e5f-4ad1-b25f-5e4c0e9d4b6b"),
        ("x-envoy-upstream-service-time", str(dice.randrange(500, 3000))),
        ("cf-cache-status", "DYNAMIC"),
        ("X-Robots-Tag", "none"),
        ("Server", "cloudflare"),
        ("CF-RAY", f"{dice.getrandbits(64):016x}-FRA"),
    ]


def event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


@cache
def tools() -> list[dict[str, Any]]:
    prose = Deck(3).prose
    names = ("Task", "Bash", "Glob", "Grep", "Read", "Edit", "Write", "WebFetch")

    def tool(n: int) -> dict[str, Any]:
        arguments = {
            f"argument_{k}": {"type": "string", "description": prose(60)} for k in range(4)
        }
        schema = {"type": "object", "properties": arguments, "required": ["argument_0"]}
        name = names[n] if n < len(names) else f"mcp__server__tool_{n}"
        return {"name": name, "description": prose(900), "input_schema": schema}

    return [tool(n) for n in range(20)]
