"""The labelled texts, and which of them are left out together.

Sources that share texts or authors are one group: jailbreaks from the wild go by five names.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATTACKS = {
    "in the wild": (
        "PyRIT", "garak", "trustai", "jackhhao", "jailbreakchat", "Self-Reminder", "GPTFuzz",
    ),
    "deepset": ("deepset",),
    "llmail": ("llmail",),
    "satml": ("satml",),
    "protectai": ("protectai/validation",),
    "gauntlet": ("gauntlet",),
    "ASB": ("ASB",),
    "BIPIA": ("BIPIA",),
}  # fmt: skip
HARMLESS = (
    ("aider chat", "deepset", "PayloadsAll", "presidio", "benign_exemplars"),
    ("wshobson", "self-instruct T0", "README image", "look-alikes", "gitleaks declared"),
    ("CPython", "wildguard", "network", "BIPIA"),
    ("AgentBench os", "json_mode", "codebase", "aider source", "ASB"),
)
"""Folds of harmless sources, each with prompts, code and prose."""
HARD = "prompt-armor:benign_exemplars"
"""Harmless sentences made of the words of attacks: judged apart."""
PROMPTS = ("deepset", "self-instruct", "wildguard", "json_mode", "AgentBench os", "exemplars")
"""Harmless sources of what users write; the rest is code, records and documents."""
_OTHER_FAMILIES = ("pii", "secret", "exfiltration")
_TEXT_KEYS = frozenset({
    "messages", "contents", "parts", "content", "text", "input", "system", "output", "instructions",
    "prompt", "systemInstruction", "system_instruction", "inputText", "toolResult", "tools",
    "function", "description", "functionDeclarations",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """`fold` is the name of a group of attacks, or the number of a fold of harmless sources."""

    text: str
    attack: bool
    source: str
    family: str = ""
    sub: str = ""
    fold: str | int = ""

    @property
    def by_context(self) -> bool:
        """Nothing but its place makes it an attack."""
        return self.sub.startswith("ctx:")

    @property
    def prompt(self) -> bool:
        return any(word in self.source for word in PROMPTS)


def read(folder: Path, split: str) -> list[Document]:
    """Attacks on models and harmless texts; secrets, personal data and the like are left out."""
    with gzip.open(folder / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [_document(row) for row in rows if row["family"] not in _OTHER_FAMILIES]


def _document(row: dict[str, Any]) -> Document:
    attack, source = bool(row["label"]), row["source"]
    fold: str | int = ""
    if attack:
        fold = next((name for name, words in ATTACKS.items() if _is(source, words)), "other")
    else:
        fold = next((at for at, words in enumerate(HARMLESS) if _is(source, words)), -1)
    return Document(row["text"], attack, source, row["family"], row["sub"] or "", fold)


def _is(source: str, words: tuple[str, ...]) -> bool:
    return any(word in source for word in words)


def read_wire(folder: Path) -> list[Document]:
    """Texts of recorded requests, all taken as harmless; none where the folder is missing."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        if path.name in ("expected.jsonl.gz", "websocket.jsonl.gz"):
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for text in _texts_of(json.loads(line)):
                    texts.setdefault(text[:200], text)
    return [Document(text, False, "wire", fold=-1) for text in texts.values()]


def _texts_of(exchange: dict[str, Any]) -> Iterator[str]:
    if exchange.get("request_body_encoding") != "utf-8":
        return
    try:
        body = json.loads(exchange["request_body"])
    except ValueError:  # no JSON, no texts
        return
    yield from _strings(body)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str() if len(value) >= 12 and " " in value and "base64" not in value[:60]:
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for key, one in value.items():
                if key in _TEXT_KEYS:
                    yield from _strings(one)
