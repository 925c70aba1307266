"""`llmproxy worker`: from the journal into the database, by itself."""

from typing import Annotated

import typer

from llmproxy_core.cli.surroundings import settings


def worker(
    once: Annotated[bool, typer.Option("--once", help="Store what is there, then end.")] = False,
) -> None:
    """Store what the proxies have recorded. The proxy starts one itself, unless told not to.

    Run it by itself under systemd or Kubernetes, with `worker.child = false` in mitm.toml.

    \b
    Example:
      llmproxy worker
      llmproxy worker --once
    """
    from llmproxy_core.worker import log, run

    log.start()
    raise typer.Exit(run(*settings(), once=once))
