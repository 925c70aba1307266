"""The command line. One file a group of commands; `app.py` lists them.

Modules are imported inside commands where they are heavy: `llmproxy env` runs at every start of
a shell.
"""

import os
import sys


def main() -> None:
    """The entry point `llmproxy`. Errors raised on purpose are one line on stderr."""
    from llmproxy_core.cli.app import EXIT_FAILED, EXIT_PROXY_DOWN, app
    from llmproxy_core.errors import LlmproxyError, ProxyDown

    try:
        app(prog_name="llmproxy")
    except LlmproxyError as exc:
        # it may quote what others have written
        text = "".join(c if c.isprintable() or c == "\n" else "?" for c in str(exc))
        sys.stderr.write(f"llmproxy: {text}\n")
        sys.exit(EXIT_PROXY_DOWN if isinstance(exc, ProxyDown) else EXIT_FAILED)
    finally:
        _flush()


def _flush() -> None:
    """A reader that has gone away (`| head`) is no error, and gets no traceback at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
