"""`llmproxy import`: calls from HAR, flow files and JSON lines into the store."""

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, settings, warn
from llmproxy_core.plural import counted

if TYPE_CHECKING:
    from llmproxy_core.interchange.incoming.importing import Tally


INTERRUPTED = 130


class FileFormat(StrEnum):
    har = "har"
    mitm = "mitm"
    jsonl = "jsonl"


def import_(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="`-` is standard input; .gz is undone.")
    ],
    kind: Annotated[
        FileFormat | None,
        typer.Option("--format", help="Default: what the file's content is.", show_default=False),
    ] = None,
    namespace: Annotated[str, typer.Option("--ns", help="Where the calls belong.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count; store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The counts as an object.")] = False,
) -> None:
    """Store the calls that files hold: HAR, mitmproxy's flow files, JSON lines.

    Importing a file again stores only what is missing. Exit code 1 if a part could not be read.

    \b
    Example:
      llmproxy import browser.har flows.mitm
      zcat old.jsonl.gz | llmproxy import --dry-run -
    """
    from llmproxy_core.interchange.incoming.importing import Import
    from llmproxy_core.interchange.incoming.kinds import Kind

    begun_at = time.monotonic()
    config, home = settings()
    work = Import(config, home, warn, kind=Kind(kind.value) if kind else None, namespace=namespace)
    if dry_run:
        work.count(files)
    else:
        from llmproxy_core.store.database import open_database
        from llmproxy_core.store.migrate import upgrade

        with open_database(config, home, "llmproxy import") as database:
            upgrade(database)  # as the worker does, which may be ours
            try:
                work.store(files, database)
            except KeyboardInterrupt:
                warn("interrupted; what was read is still stored. Import the files again to go on.")
                raise typer.Exit(INTERRUPTED) from None
    _print(work.tally, time.monotonic() - begun_at, dry_run, as_json)
    raise typer.Exit(1 if work.tally.problems else 0)


def _print(tally: "Tally", seconds: float, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(tally)
        return
    done = "would be stored" if dry_run else "stored"
    known = "" if dry_run else f", {tally.known} were there already"
    typer.echo(f"{counted(tally.new, 'call')} {done}{known} ({seconds:.1f} s)")
    for reason, number in tally.skipped.most_common():
        typer.echo(f"{number} skipped: {reason}")
    if tally.problems:
        warn(f"{tally.problems} parts could not be read")
