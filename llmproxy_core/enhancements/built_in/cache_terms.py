"""From how many tokens on, and how long, providers keep a marked prefix.

Sources: platform.claude.com/docs "Prompt caching" (cache limitations, 5 minutes from the last use),
docs.aws.amazon.com/bedrock "Prompt caching for faster model inference" (supported models).
"""

from datetime import timedelta
from typing import NamedTuple

LIFE = timedelta(minutes=5)
READABLE = timedelta(seconds=2)
"""After a call began: what is written can be read only once its answer has begun."""
MARKED = frozenset(
    {
        "anthropic.messages",
        "bedrock.converse",
        "bedrock.converse-stream",
        "bedrock.invoke",
        "bedrock.invoke-with-response-stream",
    }
)
"""Wires on which nothing is cached without a mark."""


class Terms(NamedTuple):
    """`minimum` tokens of a prefix; `tools`: may a mark stand behind the tools?"""

    minimum: int
    tools: bool


TERMS: tuple[tuple[str, Terms], ...] = (
    ("nova", Terms(1000, False)),
    ("haiku-4", Terms(4096, True)),
    ("haiku", Terms(2048, True)),
    ("sonnet-4-6", Terms(2048, True)),
    ("sonnet-4-5", Terms(1024, True)),
    ("sonnet-4-2025", Terms(1024, True)),
    ("sonnet-4-0", Terms(1024, True)),
    ("sonnet-4@", Terms(1024, True)),
    ("3-7-sonnet", Terms(1024, True)),
    ("3-5-sonnet", Terms(1024, True)),
    ("opus-4-1", Terms(1024, True)),
    ("opus-4-2025", Terms(1024, True)),
    ("opus-4-0", Terms(1024, True)),
    ("opus-4@", Terms(1024, True)),
)
"""By a word of the model's name; the first that fits."""
UNKNOWN = Terms(4096, True)
"""The most that any model wants."""


def terms(model: str) -> Terms:
    name = model.lower().replace(".", "-")
    return next((found for word, found in TERMS if word in name), UNKNOWN)
