"""Teaches stock mitmproxy's `-s` to take a folder; runs at every start of Python, so it is tiny.

Python imports this from `llmproxy_startup.pth` (or `.start`) beside it. Until a program imports
`mitmproxy.addons.script` it is one more finder to ask; then it hands over to `teach` and is gone.
"""

import sys

TARGET = "mitmproxy.addons.script"


class Finder:
    """Knows one name, and finds it the way the other finders do."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        """Not annotated: what annotations need costs more to import than all of this file."""
        if name != TARGET:
            return None
        from _llmproxy_startup.teach import find

        return find(self, name, path)


def install() -> None:
    """Wait for mitmproxy's script loader to be imported."""
    sys.meta_path.insert(0, Finder())
