"""`llmproxy config`: the settings."""

from pathlib import Path
from typing import Annotated

import typer

from llmproxy_core.cli.surroundings import print_json

app = typer.Typer(help="The settings: check.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Default: the one in force.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all settings in force as an object.")
    ] = False,
) -> None:
    """Check mitm.toml and tell which one is in force. Exit code 1 if it is wrong.

    \b
    Example:
      llmproxy config check
      llmproxy config check ./mitm.toml --json
    """
    from llmproxy_core import config
    from llmproxy_core.cli.surroundings import warn
    from llmproxy_core.home import open_home
    from llmproxy_core.webhooks.signature import unset

    settings = config.load(file, home=open_home().path)
    if as_json:
        print_json(config.without_secrets(settings))
    elif settings.source:
        typer.echo(f"{settings.source}: in order")
        for problem in unset(settings.webhooks):
            warn(f"{problem}. Where the worker runs it may be set")
    else:
        typer.echo("No mitm.toml here, in the home folder or in LLMPROXY_CONFIG: defaults in force")
