"""What the simulated model says: text or calls of tools, with or without thoughts."""

from dataclasses import replace
from typing import Literal

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator.advice import advice
from llmproxy_core.simulator.calling import tool_calls
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Answer, Ask
from llmproxy_core.simulator.prompt_cache import Counted
from llmproxy_core.simulator.prose import ANSWERS, THOUGHTS
from llmproxy_core.simulator.quality import Fault, fault_of, worded
from llmproxy_core.simulator.samples import sample

WRONG_ARGUMENTS = '{"number":17}'
"""Of no schema that we know of."""


def answer(ask: Ask, body: bytes, wanted: Controls, counted: Counted | None = None) -> Answer:
    """The same for the same body, always, but for what was `counted` by a cache; None: a guess."""
    key = content_hash(body).hex()
    fault = fault_of(ask, body) if wanted.quality and not ask.advises else None
    tools = [] if fault == "refused" else tool_calls(ask, key, wanted)
    if fault == "wrong_call":
        tools = [replace(tool, arguments=WRONG_ARGUMENTS) for tool in tools]
    thoughts = THOUGHTS[_choice(ask.text, len(THOUGHTS))]
    thinks = ask.thinks if wanted.reasoning is None else wanted.reasoning
    text, ending = _text(ask, wanted, fault, silent=bool(tools))
    reasoning_tokens = _tokens(len(thoughts)) if thinks else 0
    written = len(text) + sum(len(tool.arguments) + len(tool.name) for tool in tools)
    counted = counted or _guessed(ask)
    cached = counted.read if wanted.cached is None else wanted.cached
    return Answer(
        key=key,
        text=_pieces(text, wanted.chunks),
        reasoning=_pieces(thoughts if thinks else "", None),
        tools=tools,
        input_tokens=max(counted.total, cached),
        cached_tokens=cached,
        output_tokens=_tokens(written) + reasoning_tokens,
        reasoning_tokens=reasoning_tokens,
        written_tokens=counted.written if wanted.cached is None else 0,
        ending=ending,
    )


def _guessed(ask: Ask) -> Counted:
    # providers cache whole blocks; a small one lets short demo sessions show it, too
    cached = ask.earlier // 4 // 32 * 32
    return Counted(_tokens(ask.total), cached)


def _tokens(characters: int) -> int:
    return max(1, characters // 4)


def _text(
    ask: Ask, wanted: Controls, fault: Fault | None, *, silent: bool
) -> tuple[str, Literal["stop", "length"]]:
    """With `quality`, the limit of tokens is kept to."""
    text = "" if silent else _said(ask, wanted)
    if silent or not wanted.quality:
        return text, "stop"
    text = worded(text, fault, ask.text)
    if ask.most is not None and len(text) > 4 * ask.most:
        return text[: 4 * ask.most], "length"
    return text, "stop"


def _said(ask: Ask, wanted: Controls) -> str:
    if wanted.echo:
        return ask.text
    if ask.advises and wanted.quality:
        return advice(ask.text)
    if ask.schema is not None:
        return compact(sample(ask.schema))
    text = ANSWERS[_choice(ask.text, len(ANSWERS))]
    if ask.wants_json:
        return compact({"answer": text})
    if wanted.size is not None:
        text = (text + "\n\n") * (wanted.size // len(text) + 1)
        text = text[: wanted.size]
    return text


def _choice(text: str, count: int) -> int:
    return content_hash(text.encode("utf-8", "replace"))[0] % count


def _pieces(text: str, count: int | None) -> list[str]:
    """Cut into `count` pieces, or else as models do: a word or two at a time."""
    if not text:
        return []
    step = max(1, -(-len(text) // count)) if count else max(6, len(text) // 2000)
    return [text[i : i + step] for i in range(0, len(text), step)]
