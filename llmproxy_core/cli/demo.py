"""`llmproxy demo`: all of it alive, against the simulated provider."""

from typing import Annotated

import typer


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="No TUI; print the table of calls at the end.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=1, help="With --headless: make calls for so long.")
    ] = 10,
) -> None:
    """Watch simulated programs talk to a simulated provider: no API key, nothing leaves here.

    Starts a proxy of its own on a free port, with a home folder of its own; both are gone at
    the end.

    \b
    Example:
      llmproxy demo
    """
    from llmproxy_core.cli.stage import play

    play(seconds if headless else None)
