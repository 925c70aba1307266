"""Loads mitmproxy's script module with its own loader, then lets `script` teach it folders."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def find(asking: Any, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """What the other finders find; `asking` has done its work and leaves `sys.meta_path`."""
    if asking in sys.meta_path:
        sys.meta_path.remove(asking)
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            if spec.loader is not None:
                spec.loader = TeachingLoader(spec.loader)  # type: ignore[assignment]
            return spec
    return None


class TeachingLoader:
    """Runs the module with its own loader, puts that loader back, then teaches the module."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        try:
            from _llmproxy_startup.script import teach

            teach(module)
        except Exception as error:  # noqa: BLE001
            # Fails open: mitmproxy must start as if we were not installed, only without folders.
            sys.stderr.write(f"llmproxy: mitmproxy's -s will not take folders: {error!r}\n")
