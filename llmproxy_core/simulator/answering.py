"""What the simulated model says: text or calls of tools, with or without thoughts."""

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator.calling import tool_calls
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Answer, Ask, compact
from llmproxy_core.simulator.prose import ANSWERS, THOUGHTS
from llmproxy_core.simulator.samples import sample


def answer(ask: Ask, body: bytes, wanted: Controls) -> Answer:
    """The same for the same body, always."""
    key = content_hash(body).hex()
    tools = tool_calls(ask, key, wanted)
    thoughts = THOUGHTS[_choice(ask.text, len(THOUGHTS))]
    thinks = ask.thinks if wanted.reasoning is None else wanted.reasoning
    text = "" if tools else _text(ask, wanted)
    pieces = _pieces(text, wanted.chunks)
    reasoning = _pieces(thoughts if thinks else "", None)
    reasoning_tokens = _tokens(len(thoughts)) if thinks else 0
    written = len(text) + sum(len(tool.arguments) + len(tool.name) for tool in tools)
    input_tokens = _tokens(ask.total)
    # providers cache whole blocks; a small one lets short demo sessions show it, too
    cached = ask.earlier // 4 // 32 * 32 if wanted.cached is None else wanted.cached
    return Answer(
        key=key,
        text=pieces,
        reasoning=reasoning,
        tools=tools,
        input_tokens=max(input_tokens, cached),
        cached_tokens=cached,
        output_tokens=_tokens(written) + reasoning_tokens,
        reasoning_tokens=reasoning_tokens,
    )


def _tokens(characters: int) -> int:
    return max(1, characters // 4)


def _text(ask: Ask, wanted: Controls) -> str:
    if wanted.echo:
        return ask.text
    if ask.schema is not None:
        return compact(sample(ask.schema))
    text = ANSWERS[_choice(ask.text, len(ANSWERS))]
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
