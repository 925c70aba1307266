"""What is written of a call: the strictest of what is said of all calls, its provider, its
namespace."""

from collections.abc import Iterable
from typing import Literal

from llmproxy_core.config import Config

type Mode = Literal["full", "metadata", "off"]

STRICTER: tuple[Mode, ...] = ("full", "metadata", "off")


class Modes:
    """As `mitm.toml` has them."""

    def __init__(self, config: Config) -> None:
        self._all: Mode = config.capture.mode
        self._of: dict[str, Mode] = {}
        told = [(one.name, one.capture) for one in config.providers]
        for name, mode in (*told, *config.capture.providers.items()):
            self._of[name] = strictest([mode, self._of.get(name, "full")])

    @property
    def less(self) -> bool:
        """Is there less than all kept of any call?"""
        return self._all != "full" or any(mode != "full" for mode in self._of.values())

    def of(self, provider: str, namespace: Mode) -> Mode:
        """`namespace`: what is said of the one that the call is in."""
        return strictest([self._all, self._of.get(provider, "full"), namespace])


def strictest(modes: Iterable[Mode]) -> Mode:
    return max(modes, key=STRICTER.index, default="full")
