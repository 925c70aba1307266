"""`llmproxy tui`: the calls, live."""


def tui() -> None:
    """Watch the calls in the terminal, live. Quit with q.

    \b
    Example:
      llmproxy tui
    """
    from llmproxy_core.cli.surroundings import settings
    from llmproxy_core.tui.start import run

    run(*settings())
