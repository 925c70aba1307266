"""`cache_breakpoint`: sets or moves one, where a provider wants to be told what to cache."""

from llmproxy_core.sections.operations import CacheBreakpoint
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.bedrock import unmark
from llmproxy_core.transformations.dialects.dialect import Caching, Dialect
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Node


def hindrance(operation: CacheBreakpoint, dialect: Dialect) -> str:
    if dialect.caching is not None:
        return ""
    return f"{dialect.name} has no cache breakpoints: its provider caches by itself, or not at all"


def breaking(operation: CacheBreakpoint) -> Action:
    def do(draft: Draft) -> None:
        for holder in draft.holders():
            caching = draft.dialect.caching
            if caching is None:
                draft.lacks("cache breakpoints")
                return
            if operation.move:
                _clear(caching, holder)
            caching.place(holder, operation.at, operation.ttl)
            _check(caching, holder)

    return do


def _clear(caching: Caching, holder: Node) -> None:
    for _, owner, key in caching.marks(holder):
        if key:
            owner.remove(key)
        else:
            unmark(owner)


def _check(caching: Caching, holder: Node) -> None:
    """Raises Cannot: there are more than the provider takes, or a longer one after a shorter."""
    lives = [ttl for ttl, _, _ in caching.marks(holder)]
    if len(lives) > caching.most:
        raise Cannot(
            "refused",
            f"that makes {len(lives)} cache breakpoints, and the provider takes {caching.most}: "
            "`move = true` takes the others away",
        )
    if "1h" in lives[lives.index("5m") :] if "5m" in lives else False:
        raise Cannot("refused", "a breakpoint of an hour cannot come after one of 5 minutes")
