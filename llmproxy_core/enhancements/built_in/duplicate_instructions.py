"""The same sentence twice: in the system prompt, or there and in the user's prompt again.

Wanted: LEAST_CALLS calls, LEAST_EXEMPLARS exemplars, and the sentence twice in LEAST_SHARE of them.
A sentence has LEAST_WORDS words, so that labels and headings are none; what stands in code or in a
slot is not looked at. The first of two in the system prompt stays; of the user's prompt and the
system's, the system's does, which caches keep.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import re2

from llmproxy_core.enhancements.built_in.weights import dollars, grown, usd
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Exemplar
from llmproxy_core.model import Usage
from llmproxy_core.pricing.estimate import tokens

NAME = "duplicate_instructions"
LEAST_CALLS, LEAST_EXEMPLARS = 30, 5
LEAST_SHARE = 0.9
LEAST_WORDS, LEAST_BYTES = 6, 40
MOST_SENTENCES = 3
SUREST = 0.85
"""Some repeat on purpose what matters: an experiment tells."""
CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")  # noqa: RUF001  ends of sentences
SURROGATE = re.compile("[\ud800-\udfff]")
BULLET = re.compile(r"\A\s*(?:[-*•]|\d{1,3}[.)])?\s*")
BEFORE = r"(?:\n[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]*|\s*)"
"""What goes with a sentence that is taken out: its bullet, or the space before it."""

type Removed = tuple[str, Operation]
"""A sentence, and what takes its second place away."""


def suggest(evidence: Evidence) -> list[Suggestion]:
    exemplars = [one for one in evidence.exemplars if one.system]
    calls = evidence.editable
    if len(calls) < LEAST_CALLS or len(exemplars) < LEAST_EXEMPLARS:
        return []
    within = _frequent(exemplars, _twice_in_system)
    across = [one for one in _frequent(exemplars, _in_both) if one not in within]
    removed = [_second(one) for one in within]
    removed += [_again(one) for one in across if _is_constant(one, evidence)]
    removed = removed[:MOST_SENTENCES]
    return [_suggestion(evidence, removed)] if removed else []


def sentences(text: str) -> Iterator[str]:
    """Those of a text that may be instructions, as they stand there."""
    for piece in ENDS.split(CODE.sub("\n", text)):
        if SURROGATE.search(piece):
            continue
        sentence = BULLET.sub("", piece, count=1).strip()
        # scripts without spaces have no words to count
        is_long = len(sentence.split()) >= LEAST_WORDS or not sentence.isascii()
        if is_long and len(sentence.encode("utf-8", "ignore")) >= LEAST_BYTES:
            yield sentence


def _twice_in_system(one: Exemplar) -> set[str]:
    counts = Counter(sentences(one.system))
    return {sentence for sentence, n in counts.items() if n == 2 == one.system.count(sentence)}


def _in_both(one: Exemplar) -> set[str]:
    shared = set(sentences(one.user)) & set(sentences(one.system))
    return {sentence for sentence in shared if one.user.replace(sentence, "").strip()}


def _frequent(exemplars: Sequence[Exemplar], found: Callable[[Exemplar], set[str]]) -> list[str]:
    """Sentences found in most exemplars, the longest first."""
    counts = Counter(sentence for one in exemplars for sentence in found(one))
    least = LEAST_SHARE * len(exemplars)
    return sorted(
        (one for one, n in counts.items() if n >= least), key=lambda one: (-len(one), one)
    )


def _is_constant(sentence: str, evidence: Evidence) -> bool:
    return any(sentence in piece for piece in evidence.constant)


def _second(sentence: str) -> Removed:
    quoted = re2.escape(sentence)
    pattern = rf"(?s)({quoted}.*?){BEFORE}{quoted}"
    return sentence, _operation("system", pattern, r"\1")


def _again(sentence: str) -> Removed:
    return sentence, _operation("user", rf"{BEFORE}{re2.escape(sentence)}", "")


def _operation(role: str, pattern: str, text: str) -> Operation:
    return {"op": "replace_text", "role": role, "pattern": pattern, "replacement": text}


def _suggestion(evidence: Evidence, removed: Sequence[Removed]) -> Suggestion:
    size = sum(tokens(sentence) for sentence, _ in removed)
    saved = _saved(evidence, size)
    a_day = None if saved is None else evidence.a_day(saved)
    worth = "" if a_day is None else f", about {dollars(a_day)} a day"
    quoted = "; ".join(f'"{sentence[:80]}"' for sentence, _ in removed)
    return Suggestion(
        type="clarification",
        edit=tuple(operation for _, operation in removed),
        confidence=grown(len(evidence.editable), LEAST_CALLS, SUREST),
        reasoning=(
            f"Said twice in nearly every call: {quoted}. Once is enough; the repetition takes "
            f"{size} tokens of each call{worth}."
        ),
        source_engine=f"built-in:{NAME}",
        aim="cost",
        saving_usd_per_day=None if a_day is None else round(a_day, 6),
    )


def _saved(evidence: Evidence, size: int) -> float | None:
    total = 0.0
    for call in evidence.editable:
        read = size if call.usage.cached_tokens else 0
        value = usd(evidence, call, Usage(size, 0, cached_tokens=read))
        if value is None:
            return None
        total += float(value)
    return total
