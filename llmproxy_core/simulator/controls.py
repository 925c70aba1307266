"""How a caller bends the simulated provider: `x-simulate: key=value,…` or words in the model name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

WORDS = {
    "fast": "delay=0",
    "slow": "delay=150,first=400",
    "429": "status=429",
    "500": "status=500",
    "529": "status=529",
    "error": "error_after=3",
    "reset": "reset_after=3",
    "cut": "cut_after=3",
    "huge": "size=4194304",
    "tool": "tool=true",
    "think": "reasoning=true",
    "gzip": "encoding=gzip",
    "deflate": "encoding=deflate",
    "br": "encoding=br",
    "zstd": "encoding=zstd",
    "malformed": "malformed=json",
    "trailers": "trailers=true",
    "echo": "echo=true",
    "cache": "caching=true",
    "quality": "quality=true",
}
"""`gpt-5-sim-slow-sim-tool` means `x-simulate: delay=150,first=400,tool=true`."""

ENCODINGS = ("identity", "gzip", "deflate", "br", "zstd")
MALFORMED = ("json", "utf8", "html", "empty")


class ControlError(ValueError):
    """An `x-simulate` that cannot be obeyed; its text names the key."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What is wanted of one answer; times in milliseconds.

    `error_after`, `reset_after`, `cut_after`: after so many events of a stream, send the format's
    error event, reset the connection (RST), or close it without an ending.
    `chunks`: cut the text into so many pieces instead of words. `size`: bytes of text.
    `cut_inside`, `end_inside`: break off, or end in good order, in the middle of the first place
    of a stream where this text stands. `grain`: write an answer in chunks of so many bytes.
    `cached`: tokens read from the prompt cache, instead of a guess from the earlier messages.
    `caching`: count cached tokens as real providers do (see `prompt_cache`); the same request then
    has other tokens the second time. `quality`: answer badly worded prompts worse (see `quality`), and
    keep to the limit of tokens.
    `call_name`: the name of the first tool that is called, offered or not.
    `required_prefix`: what every name of a client's tool has to begin with; others are refused.
    """

    delay: float = 0.0
    first: float = 0.0
    chunks: int | None = None
    status: int | None = None
    error_after: int | None = None
    reset_after: int | None = None
    cut_after: int | None = None
    encoding: str = "identity"
    trailers: bool = False
    size: int | None = None
    malformed: str | None = None
    tool: bool | None = None
    reasoning: bool | None = None
    echo: bool = False
    cached: int | None = None
    cut_inside: str | None = None
    end_inside: str | None = None
    grain: int | None = None
    caching: bool = False
    quality: bool = False
    call_name: str | None = None
    required_prefix: str = ""


def controls(header: str | None, model: str, default: Controls) -> Controls:
    """The default, bent first by the words in `model`, then by the header.

    Raises:
        ControlError: unknown key, or a value that does not fit.
    """
    wanted = dict(_words(model))
    wanted.update(_pairs(header or ""))
    return replace(default, **{key: _value(key, text) for key, text in wanted.items()})


def _words(model: str) -> Iterator[tuple[str, str]]:
    for word in re.findall(r"sim-([a-z0-9]+)", model.lower()):
        yield from _pairs(WORDS.get(word, ""))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for item in filter(None, (item.strip() for item in text.split(","))):
        key, equals, value = item.partition("=")
        yield key.strip(), value.strip() if equals else "true"


def _value(key: str, text: str) -> Any:
    kinds = {field.name: _kind(field.type) for field in fields(Controls)}
    if key not in kinds:
        raise ControlError(f"x-simulate: unknown key {key!r}; known: {', '.join(kinds)}")
    allowed = {"encoding": ENCODINGS, "malformed": MALFORMED}.get(key)
    if allowed:
        if text not in allowed:
            raise ControlError(f"x-simulate: {key}={text!r}: one of {', '.join(allowed)}")
        return text
    try:
        return _scalar(kinds[key], text)
    except ValueError:
        raise ControlError(f"x-simulate: {key}={text!r}: not a {kinds[key]}") from None


def _kind(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).split()[0]


def _scalar(kind: str, text: str) -> bool | int | float | str:
    if kind == "str":
        return text
    if kind == "bool":
        if text not in ("true", "1", "false", "0"):
            raise ValueError(text)
        return text in ("true", "1")
    number = float(text) if kind == "float" else int(text)
    if not 0 <= number < 2**31:
        raise ValueError(text)
    return number
