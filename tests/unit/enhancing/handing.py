"""A proxy's side of what is learnt, without a proxy."""

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmproxy_core.enhancing.call import Call, Made
from llmproxy_core.enhancing.enhancer import Enhancer
from llmproxy_core.enhancing.handed import Compiler, Tables
from llmproxy_core.enhancing.improving import Improving
from llmproxy_core.model import Headers
from llmproxy_core.patterns import readings
from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.signatures import Signatures
from llmproxy_core.patterns.versions import Versions
from llmproxy_core.policies.facts import About, of_request

NOW = 1_800_000_000.0
WORDS = [
    *("printer", "invoice", "parcel", "login", "screen", "refund", "battery", "cable", "late"),
    *("broken", "twice", "yesterday", "please", "my", "the", "customer", "again", "never", "works"),
]
PROMPT = "Summarize the following ticket of the support team in one sentence: {}"
SYSTEM = "You are the assistant of a shop. Be polite.\nNever promise a refund.\nAnswer briefly."
TOOLS = [{"name": "find_orders", "input_schema": {"type": "object"}}]
APPEND = {"op": "append_system", "text": "Answer in one sentence."}


def rule(name: str, when: str, *logic: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "when": when, "logic": list(logic or [APPEND]), **more}


def learnt() -> tuple[dict[str, Any], dict[str, str]]:
    """Patterns as the worker hands them out, of traffic; and the id of each kind."""
    miner = Miner()
    dice = random.Random(7)
    words = (dice.sample(WORDS, dice.randint(5, 12)) for _ in range(40))
    texts = [PROMPT.format(" ".join(some)) for some in words]
    for text in texts:
        miner.assign(text)
    miner.consolidate()
    found = miner.assign(texts[0])
    assert found is not None
    systems, tools = Versions(lambda: "system-1"), Versions(lambda: "tools-1")
    systems.see(SYSTEM, 1, "s")
    offered = "\n".join(tool_lines("anthropic.messages", body(tools=TOOLS)))
    tools.see(offered, 1, "s", readings.TOOLS)
    handed = {
        "signatures": Signatures.of(miner.current()).to_json(),
        "named": {found: ["summarize ticket", "summarization"]},
        "outlines": {
            "system": {f"{key:x}": id for key, id in systems.outlines().items()},
            "tools": {f"{key:x}": id for key, id in tools.outlines().items()},
        },
    }
    return handed, {"user": found, "system": "system-1", "tools": "tools-1"}


def improving(
    *rules: dict[str, Any], trials: Sequence[Any] = (), patterns: Any = None
) -> Improving:
    tables = Tables(rules, trials, {"default": patterns} if patterns else {})
    ready = Compiler(Path("rulebook.json")).read(tables)
    assert not ready.problems, ready.problems
    return Improving(ready.transformations, ready.trials, ready.patterns)


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 100, **fields}).encode()


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def sent(
    enhancer: Enhancer,
    what: Improving,
    data: bytes,
    *,
    wire: str = "anthropic.messages",
    headers: Headers | None = None,
    namespace: str = "default",
    who: str = "",
    at: float = NOW,
    unit: bytes = b"",
) -> Made:
    about = About(namespace, "anthropic", wire, "api.anthropic.com", "POST", "/v1/messages", at)
    call = Call(
        wire, "/v1/messages", headers or [], data, namespace, who,
        lambda asked: of_request(about, asked), unit,
    )  # fmt: skip
    return enhancer.request(what, call, at)


def enhancer(file: Path | None = None) -> Enhancer:
    return Enhancer(file, time.time())
