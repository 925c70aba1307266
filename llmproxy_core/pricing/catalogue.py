"""Prices per model, from genai-prices: which of its providers ours are, and what was found there.

The package's own data are used as installed; nothing is fetched.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import MatchLogic, ModelInfo, ModelPrice, Provider

type Confidence = Literal["exact", "prefix"]

THEIR_NAMES = {
    "vertex": "google",
    "bedrock": "aws",
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
}
"""Our provider -> theirs, where the two differ."""

MAKERS = {"vertex": ("anthropic",), "bedrock": ("anthropic",), "zai": ("zhipuai",)}
"""Whose list holds where the provider's own does not have the model."""

UNPRICED = frozenset({"ollama", "lmstudio", "vllm"})
"""Servers on the user's own machine: their tokens have no price."""

DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d|latest)$")
DATE_BEGUN = re.compile(r"[-@:]?(20[0-9-]*)?")
REGIONS = frozenset({"us", "eu", "apac", "jp", "au", "ca", "global", "us-gov", "sa", "me", "af"})


@dataclass(frozen=True, slots=True)
class Listing:
    """A model on a price list. `prices` tells what was in force when."""

    source: str
    confidence: Confidence
    model: "ModelInfo"

    def at(self, moment: datetime) -> "ModelPrice":
        return self.model.get_prices(moment)


def find(provider: str, model: str) -> Listing | None:
    """The listing of a model at a provider of ours, or None. Slow: remember the answer."""
    if provider in UNPRICED or provider.endswith("-compatible") or not model:
        return None
    names = [THEIR_NAMES.get(provider, provider), *MAKERS.get(provider, ())]
    for name in names:
        if (theirs := _provider(name)) and (listing := _search(theirs, model)):
            return listing
    if _provider(names[0]) is None:
        return _by_model(model)
    return None


def _search(provider: "Provider", model: str) -> Listing | None:
    for spelling in spellings(model):
        found = provider.find_model(spelling, all_providers=_snapshot().providers)
        if found:
            confidence: Confidence = "exact" if _names_exactly(found, spelling) else "prefix"
            return Listing(f"genai-prices {_version()} {provider.id}/{found.id}", confidence, found)
    return None


def _by_model(model: str) -> Listing | None:
    """A gateway or a provider nobody lists: the list of who makes the model, as a guess."""
    for theirs in _snapshot().providers:
        makes = theirs.model_match
        if makes and any(makes.is_match(name.lower()) for name in spellings(model)):
            listing = _search(theirs, model)
            if listing:
                return Listing(listing.source, "prefix", listing.model)
    return None


def spellings(model: str) -> list[str]:
    """A model's name as sent, then without what gateways and clouds put around it."""
    found = [model]
    bare = model.removeprefix("models/").rpartition("inference-profile/")[2]
    head, dot, rest = bare.partition(".")
    if dot and head in REGIONS:
        bare = rest
    found += [bare, bare.rpartition("/")[2], bare.partition("@")[0]]
    found.append(bare.removeprefix("anthropic.").partition(":")[0])
    return [name for name in dict.fromkeys(found) if name]


def _names_exactly(model: "ModelInfo", ref: str) -> bool:
    """Does the price list spell this name, apart from its date?"""
    ref = ref.lower()
    undated = DATE.sub("", ref)
    return undated == model.id.lower() or _spelled(model.match, ref, undated)


def _spelled(logic: "MatchLogic", ref: str, undated: str) -> bool:
    from genai_prices.types import ClauseEquals, ClauseOr, ClauseRegex, ClauseStartsWith

    if isinstance(logic, ClauseOr):
        return any(_spelled(clause, ref, undated) for clause in logic.or_)
    if isinstance(logic, ClauseRegex):
        return logic.regex.startswith("^") and logic.regex.endswith("$") and logic.is_match(ref)
    if isinstance(logic, ClauseStartsWith):
        start = logic.starts_with.lower()
        return logic.is_match(ref) and DATE_BEGUN.fullmatch(start.removeprefix(undated)) is not None
    return isinstance(logic, ClauseEquals) and logic.is_match(ref)


@cache
def _snapshot() -> "DataSnapshot":
    """Imported here: it takes 0.5 s, and the proxy does not need it."""
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


@cache
def _version() -> str:
    from genai_prices import __version__

    return __version__


@cache
def _provider(name: str) -> "Provider | None":
    from genai_prices.data_snapshot import find_provider_by_id

    return find_provider_by_id(_snapshot().providers, name)
