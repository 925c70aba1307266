"""Tokens that no provider told: of a stream that was cut, or that had no usage in it.

A client that hangs up pays for what was written until then. Over the 682 recorded answers of
mostly ASCII text whose tokens were told, a token has 4.15 characters; single answers lie between
2.9 and 5.7. Scripts beyond ASCII take about three tokens for four characters.
"""

from collections.abc import Iterable

from llmproxy_core.model import Part, Request, Response, Usage

ASCII_CHARACTERS = 4.15
"""In one token."""
OTHER_TOKENS = 0.75
"""In one character beyond ASCII."""
MESSAGE_TOKENS = 4
"""What the frame of a message takes."""
UNREADABLE = frozenset({"image", "audio", "document", "other"})


def tokens(text: str) -> int:
    """About how many tokens a text takes."""
    if text.isascii():
        return round(len(text) / ASCII_CHARACTERS)
    plain = len(text.encode("ascii", "ignore"))
    return round(plain / ASCII_CHARACTERS + (len(text) - plain) * OTHER_TOKENS)


def estimated(request: Request, response: Response) -> Usage | None:
    """The usage of an answer that does not tell all of it; None: nothing has to be estimated.

    Counters that were told are kept, unless they were told before the end of a stream that has
    none: Anthropic begins a stream with the tokens of its first event.
    """
    told, written = response.usage, tokens_written(response)
    ended = not response.incomplete
    if told is not None and ended and (told.output_tokens is not None or not written):
        return None
    if told is None:
        if not written and ended:
            return None  # neither usage nor text: not an answer that is billed by tokens
        return Usage(_asked(request), written)
    if told.output_tokens is not None and written <= told.output_tokens:
        return None
    inputs = _asked(request) if told.input_tokens is None else told.input_tokens
    return Usage(
        inputs,
        max(written, told.output_tokens or 0),
        told.cached_tokens,
        told.cache_write_tokens,
        told.reasoning_tokens,
        told.raw,
    )


def tokens_written(response: Response) -> int:
    """About how many tokens what can be seen of an answer took."""
    calls = sum(tokens(call.name) + tokens(call.arguments) for call in response.tool_calls)
    texts = sum(map(tokens, response.texts))
    return texts + calls + tokens(response.reasoning) + tokens(response.refusal or "")


def _asked(request: Request) -> int:
    """Pictures and files are left out: nobody can tell from outside what they take."""
    parts = [request.system, *(message.parts for message in request.messages)]
    tools = sum(tokens(tool.name) + tokens(tool.description) for tool in request.tools)
    frames = MESSAGE_TOKENS * len(request.messages)
    return frames + tools + sum(map(_readable, parts))


def _readable(parts: Iterable[Part]) -> int:
    return sum(tokens(part.text) for part in parts if part.kind not in UNREADABLE)
