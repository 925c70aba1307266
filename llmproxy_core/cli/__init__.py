"""The command line. One file a group of commands; `app.py` lists them.

Modules are imported inside commands where they are heavy: `llmproxy env` runs at every start of
a shell.
"""

import sys


def main() -> None:
    """The entry point `llmproxy`. Errors raised on purpose are one line on stderr."""
    from llmproxy_core.cli.app import EXIT_FAILED, EXIT_PROXY_DOWN, app
    from llmproxy_core.errors import LlmproxyError, ProxyDown

    try:
        app()
    except LlmproxyError as exc:
        sys.stderr.write(f"llmproxy: {exc}\n")
        sys.exit(EXIT_PROXY_DOWN if isinstance(exc, ProxyDown) else EXIT_FAILED)
