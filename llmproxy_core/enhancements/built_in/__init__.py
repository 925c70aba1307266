"""Suggestions from the data alone. A new one is a file and a line here."""

from collections.abc import Callable, Mapping

from llmproxy_core.enhancements.built_in import (
    cache_breakpoint,
    duplicate_instructions,
    temperature,
    truncation,
    unused_tools,
    violated_schema,
    volatile_prefix,
)
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence

type Suggester = Callable[[Evidence], list[Suggestion]]
"""A pure function; alternatives in the order of preference, of which the first that can be done is
taken. Raises nothing, and says nothing without enough traffic."""

SUGGESTERS: Mapping[str, Suggester] = {
    module.NAME: module.suggest
    for module in (
        cache_breakpoint,
        truncation,
        unused_tools,
        violated_schema,
        duplicate_instructions,
        volatile_prefix,
        temperature,
    )
}
