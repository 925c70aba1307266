"""What a call will take at most, guessed before it is sent.

Read: a token for every four bytes of the body, a bit more than the 4.15 characters that were
measured (`pricing/estimate.py`); pictures and files in base64 count as PICTURE tokens each. Written:
what the request allows (`max_tokens` and the like), else what its model wrote in calls before, else
COLD tokens.
"""

import re
from collections.abc import Callable
from itertools import islice

from llmproxy_core.limits.call import Amount

BYTES = 4
"""In a token."""
PICTURE = 1600
"""Tokens of a large picture at Anthropic; others take about as many, or fewer."""
STEP = 4096
"""A body is looked at in steps of so many bytes: no longer picture or file is missed."""
GLANCE = 64
"""Bytes that are looked at; texts have a space or a sign among so many."""
COLD = 4096
SHARE = 0.1
"""Of the newest call, in the mean."""
MODELS = 4096

ALLOWED = re.compile(
    rb'"(?:max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|maxTokens'
    rb'|num_predict)"\s*+:\s*+(\d{1,9}(?:\.0{1,9})?(?:[eE]\+?\d)?)(?![\d.eE])'
)
"""Some servers take 1e5 and 100000.0 for a whole number."""
END = b'okens"'
"""Of these names but Ollama's: a search that runs at gigabytes a second, and not by the pattern."""
OLLAMA = b'num_predict"'
LONGEST_NAME = 23
MOST = 999_999_999
"""Tokens that are allowed at once; nobody has as many."""
CHOICES = re.compile(
    rb'"(?:n|best_of|candidateCount|num_generations)"\s*+:\s*+(\d{1,3})(?![\d.eE])'
)
LOOKED = 100
"""Names in a body that are looked at."""
HEAD, TAIL = 2**12, 2**16
"""Where clients write such a name; only if it is not there, it is looked for between."""
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=_\\-]")

type Rates = Callable[[str, str], tuple[float, float] | None]
"""Of a provider and a model: USD for a token read and for one written; None: not known."""


class Estimator:
    """Learns how much each model writes. `rates` is asked once for a model."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._known: dict[tuple[str, str], tuple[float, float] | None] = {}
        self._written: dict[tuple[str, str], tuple[float, float]] = {}

    def estimate(
        self, provider: str, model: str, body: bytes, *, writes: bool = True, priced: bool = True
    ) -> Amount:
        """What a request with this body may take. `writes` False: it is not of the kind that has
        text written, such as embeddings and the counting of tokens."""
        allowed = tokens_allowed(body) if writes else 0
        times = choices(body)
        return self.amount(provider, model, tokens_read(body), allowed, times, priced=priced)

    def amount(
        self,
        provider: str,
        model: str,
        read: int,
        allowed: int | None = None,
        times: int = 1,
        *,
        priced: bool = True,
    ) -> Amount:
        """`read` tokens, and as many written as are `allowed`; None: as many as is usual. `times`:
        so many answers. `priced` False: nobody asks what it costs."""
        written = float(self.usual(provider, model) if allowed is None else allowed) * times
        usd = self.usd(provider, model, read, written) if priced else 0.0
        return Amount(read + written, usd)

    def knows(self, provider: str, model: str) -> bool:
        """Has `rates` been asked? It is slow, the first time."""
        return (provider, model) in self._known

    def usual(self, provider: str, model: str) -> int:
        """Tokens that a model writes, and no more than that in most calls."""
        mean, off = self._written.get((provider, model), (COLD, 0.0))
        return round(mean + 2 * off)

    def usd(self, provider: str, model: str, read: float, written: float) -> float | None:
        rates = self._rates_of(provider, model)
        return None if rates is None else rates[0] * read + rates[1] * written

    def learn(self, provider: str, model: str, written: int) -> None:
        """A call has ended; so many tokens were written in it."""
        key = provider, model
        if key not in self._written and len(self._written) >= MODELS:
            self._written.clear()
        mean, off = self._written.get(key, (float(written), written / 2))
        off += SHARE * (abs(written - mean) - off)
        self._written[key] = mean + SHARE * (written - mean), off

    def forget_prices(self) -> None:
        """Prices have changed: ask again."""
        self._known.clear()

    def _rates_of(self, provider: str, model: str) -> tuple[float, float] | None:
        key = provider, model
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= MODELS:
                self._known.clear()
            self._known[key] = found = self._rates(provider, model)
            return found


def tokens_allowed(body: bytes) -> int | None:
    """The tokens that a request allows for its answer, the most where it says so more than once.

    The names are looked for in the bytes. In the strings of JSON they cannot be found, for there
    the quotes are escaped.
    """
    size = len(body)
    ends = (0, min(HEAD, size)), (max(0, size - TAIL), size)
    found = max(_allowed(body, name, *end) for name in (END, OLLAMA) for end in ends)
    if found < 0 and size > HEAD + TAIL:
        found = _allowed(body, END, HEAD, size - TAIL)
    return None if found < 0 else found


def choices(body: bytes) -> int:
    """How many answers a request wants, each as long as it allows."""
    size, most = len(body), 1
    for start, end in ((0, min(HEAD, size)), (max(0, size - TAIL), size)):
        for found in islice(CHOICES.finditer(body, start, end), LOOKED):
            most = max(most, int(found[1]))
    return most


def tokens_read(body: bytes) -> int:
    """The tokens of a request."""
    text, pictures, at = len(body), 0, STEP
    while at < len(body):
        if NOT_BASE64.search(body, at, at + GLANCE):
            at += STEP
            continue
        start, end = body.rfind(b'"', 0, at) + 1, body.find(b'"', at)
        end = len(body) if end < 0 else end
        text -= end - start
        pictures += 1
        at = end + STEP
    return text // BYTES + PICTURE * pictures


def _allowed(body: bytes, name: bytes, start: int, end: int) -> int:
    """The most that such a name allows in a part of the body; -1: none does."""
    most, looked = -1, 0
    at = body.find(name, start, end)
    while at >= 0 and looked < LOOKED:
        looked += 1
        if found := ALLOWED.search(body, max(0, at - LONGEST_NAME), at + 64):
            most = max(most, min(int(float(found[1])), MOST))
        at = body.find(name, at + len(name), end)
    return most
