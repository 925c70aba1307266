"""What a pattern asks for: classification, question answering, summarisation ...

No model is asked. Three things speak: the *wording* of a group (what its prompts share, see
`constant.py`) by the cues of `cues.txt`; its *shape*, since a question that stays the same about
texts that change is a classification, while questions that change want answers; and how the calls
were made (tools, schemas).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from llmproxy_core.patterns.constant import sample, wording
from llmproxy_core.patterns.cues import points

type Type = Literal[
    "classification",
    "question_answering",
    "summarization",
    "extraction",
    "generation",
    "code",
    "translation",
    "agent_step",
    "chat",
]
TYPES: tuple[str, ...] = get_args(Type.__value__)


@dataclass(frozen=True, slots=True)
class Structure:
    """How the calls of a group are made: the shares of them, 0 to 1, that offer tools, that bring
    results of tools, and that ask for JSON of a schema."""

    tools: float = 0.0
    tool_results: float = 0.0
    schema: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence`: 0 to 1, how far the type is ahead of the others."""

    type: Type
    confidence: float


FIXED_CHOICE = 3.0
FIXED_QUESTION = 1.0
VARYING_QUESTION = 2.5
LONE_QUESTION = 2.0
OPTIONS = 2.5
FIXED_OPTIONS = 4.0
LABELS = 8.0
CODE = 3.0
LITTLE = 2.0
SCHEMA = 1.5
TOOLS = 2.0
TOOL_RESULTS = 6.0
SHORT_TALK = 1.0
"""Points. A cue that says it outright has 5, see `cues.txt`."""
TOLD = 1.5
"""Points below which what a group shares tells too little."""
VOTERS = 8
"""Prompts that are asked then."""
SHORT = 30
"""Characters of a prompt that may be small talk."""
BRIEF = 100
"""Characters of a prompt in which there is little to be summarised."""
MOST = 0.6
"""Of the prompts, those that must have a shape."""
ENOUGH = 3
"""Prompts of a group from which on its wording is told from what varies."""
WARMTH = 1.5
"""Points that make one type e times as likely as another."""

_QUESTION = re.compile(
    r"(?:^|[.!?:\n]|§(?! ?(?:and|or|in|of|to|for|with|from|than|at|by|on|as|have|has)\b))"
    r"([^§.!?:\n]{8,300})[?\uff1f]"
)
"""One without slots: what follows a slot with such words is the end of one that has a slot."""
_CHOICE = re.compile(
    r"(?:^|[,;]\s*)\W*(?:is|are|was|were|does|do|did|has|have|can|could|should|would|will|might|am)\b"
    r"|\b(?:or|which (?:one|of)|whether|better|rather)\b"
)
"""A question with few answers."""
_FREE = re.compile(r"^\W*(?:why|who|whom|where|when|how (?:would|do|can|could|should|might))\b")
"""A question with as many answers as there are texts."""
_OF_ANSWERS = re.compile(
    r"\b(?:antwort|frage|réponse|respuesta|pregunta|risposta|domanda|the question|answers?|quiz|(?:is that|is this|which(?: \w+)? is|is it|was (?:he|she|it)|is (?:he|she)|are they|were they) (?:right|correct|wrong|best))\b"
)
_REQUEST = re.compile(
    r"^\W*(?:(?:now|so|please)\W+)?(?:(?:can|could|will) (?:you|i)|how (?:would|do|can|should) (?:you|i)"
    r"|pouvez-vous|peux-tu|kannst du|können sie|puedes|podrías|puede|puoi|può|você pode)\b"
)
_OPTION = re.compile(r"^[ \t]*(?:[-*•]|\(?[A-Ha-h1-9][.)])[ \t]+(\S.*)", re.MULTILINE)
_LABEL = re.compile(
    r"(?:yes|no|maybe|true|false|positive|negative|neutral|(?:not|in) ?\w+|it.s impossible to say)\W*",
    re.IGNORECASE,
)
"""An option that is the same for every text."""
_BOOLEAN = re.compile(r"(?:yes|no|true|false)\b")
_ASKED = re.compile(r"[?\uff1f](?=[^?\uff1f\n]{0,60}$)")
_ABOUT = re.compile(
    r"(?:^|[.!,]\s+)\W*(?:is|are|was|were|does|do|did|can|could|would|will|has|have)\W+"
    r"(?:the|this|that|these|those|it|they)\b[^?]*$"
)
"""A question about what stands beside it that has few answers."""
_CODE = re.compile(
    r"(?m)[;{}][ \t]*$|^[ \t]*(?:def |class |import |from \w+ import|return\b|func |fn |const |let |var "
    r"|#include|public |private |select\b.{1,80}\bfrom\b|elif |for \(|if \(|@@ |[-+]{3} [ab]/)",
    re.IGNORECASE,
)
_LINES = 400
_OPTIONS = 2_000
_MUCH = 8_000
"""Characters in which questions, options and code are looked for."""


def type_of(texts: Sequence[str], structure: Structure | None = None) -> Verdict:
    """The type of what these prompts ask for. `texts`: prompts of one group, at least one.

    The same texts in the same order have the same verdict. Some 2 ms for a group.
    """
    read = sample(texts)
    found = _points(read)
    if len(read) > 1 and max(found.values()) < TOLD:
        _add_votes(found, read)
    if structure is not None:
        _add_structure(found, structure)
    if max(found.values()) <= 0:
        _add_default(found, read)
    return _verdict(found)


def _points(texts: Sequence[str]) -> dict[str, float]:
    shared = wording(texts)
    found = dict.fromkeys(TYPES, 0.0) | points(shared)
    _add_shape(found, texts, shared)
    return found


def _add_votes(found: dict[str, float], texts: Sequence[str]) -> None:
    """What they share tells too little: each tells for itself what it is."""
    voters = sample(texts, VOTERS)
    for text in voters:
        for type, told in _points([text]).items():
            found[type] += told / len(voters)


def _add_shape(found: dict[str, float], texts: Sequence[str], shared: str) -> None:
    if len(texts) >= ENOUGH:
        _add_fixed_questions(found, shared)
        if _mostly(texts, lambda text: _asks_anew(text, shared)):
            found["question_answering"] += VARYING_QUESTION
    elif _mostly(texts, lambda text: bool(_asked(text))):
        about = _mostly(texts, lambda text: any(map(_ABOUT.search, _asked(text))))
        found["classification" if about else "question_answering"] += LONE_QUESTION
    if _mostly(texts, lambda text: len(text) < BRIEF):
        found["summarization"] -= LITTLE
    _add_options(found, texts)
    if _mostly(texts, lambda text: len(_CODE.findall(text[:_MUCH])) > 1):
        found["code"] += CODE


def _add_fixed_questions(found: dict[str, float], shared: str) -> None:
    """What is asked of every text: mostly which of a few things it is."""
    asks = [
        question
        for question in _QUESTION.findall(shared)
        if not _REQUEST.search(question) and not _OF_ANSWERS.search(question)
    ]
    if any(_CHOICE.search(question) for question in asks):
        found["classification"] += FIXED_CHOICE
    elif asks:
        free = all(_FREE.search(question) for question in asks)
        found["question_answering" if free else "classification"] += FIXED_QUESTION


def _add_options(found: dict[str, float], texts: Sequence[str]) -> None:
    """To choose from: labels where all prompts have the same, else answers to their questions."""
    offered = [tuple(_OPTION.findall(text[-_OPTIONS:].lower())) for text in texts]
    many = [options for options in offered if len(options) > 1]
    if len(many) < MOST * len(texts) or not many:
        return
    common, times = Counter(many).most_common(1)[0]
    labels = times >= MOST * len(texts) if len(texts) > 1 else all(map(_LABEL.fullmatch, common))
    if labels and all(map(_BOOLEAN.match, common)):
        found["classification"] += FIXED_OPTIONS
    elif labels:
        found["classification"] += LABELS
    else:
        asked = _mostly(texts, lambda text: "?" in text)
        found["question_answering"] += OPTIONS if asked else OPTIONS / 2


def _asks_anew(text: str, shared: str) -> bool:
    """Is there a question or two that the others do not ask?"""
    asked = text.count("?") + text.count("\uff1f") - len(_QUESTION.findall(shared))
    if 0 < asked <= 2:
        return True
    return asked > 0 and any(" ".join(line.split()[-3:]) not in shared for line in _asked(text))


def _asked(text: str) -> list[str]:
    """The first and the last line, in lower case, where they ask something."""
    text = text.strip().lower()
    lines = text[:_LINES].partition("\n")[0], text[-_LINES:].rpartition("\n")[2]
    found = ((line, _ASKED.search(line)) for line in lines)
    return [line[: asked.start()] for line, asked in found if asked]


def _add_structure(found: dict[str, float], structure: Structure) -> None:
    found["extraction"] += SCHEMA * structure.schema
    found["agent_step"] += TOOLS * structure.tools + TOOL_RESULTS * structure.tool_results


def _add_default(found: dict[str, float], texts: Sequence[str]) -> None:
    """Nothing tells: a question wants an answer, something short is talk, the rest is written."""
    if _mostly(texts, lambda text: "?" in text or "\uff1f" in text):
        found["question_answering"] += SHORT_TALK
    elif _mostly(texts, lambda text: len(text) < SHORT):
        found["chat"] += SHORT_TALK
    else:
        found["generation"] += SHORT_TALK


def _mostly(texts: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return sum(map(holds, texts)) >= MOST * len(texts) > 0


def _verdict(found: dict[str, float]) -> Verdict:
    best = max(TYPES, key=found.__getitem__)
    top = found[best]
    total = sum(math.exp((found[type] - top) / WARMTH) for type in TYPES)
    return Verdict(cast(Type, best), round(1 / total, 3))
