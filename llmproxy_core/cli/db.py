"""`llmproxy db`: the database, embedded or external."""

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, settings

if TYPE_CHECKING:
    from llmproxy_core.store.database import Database

app = typer.Typer(
    help="The database: status, upgrade, stop, url.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False) -> None:
    """Where it is, its version, whether its schema fits, and what could not be kept so far.

    Exit code 1 if the schema does not fit.

    \b
    Example:
      llmproxy db status
    """
    from llmproxy_core.store import migrate
    from llmproxy_core.store.database import open_database

    with open_database(*settings(), application_name="llmproxy db") as database:
        schema = migrate.status(database)
        with database.raw() as connection:
            server = connection.info.server_version
        lost = _lost(database) if schema.state == "current" else {}
    found = {
        "database": database.where,
        "embedded": database.embedded,
        "postgres": f"{server // 10_000}.{server % 10_000}",
        "schema": schema.current,
        "needed": schema.head,
        "state": schema.state,
    }
    found |= lost
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            typer.echo(f"{name:<12} {value}")
        if schema.state in ("empty", "behind"):
            typer.echo("\nRun: llmproxy db upgrade")
    if schema.state != "current":
        raise typer.Exit(1)


def _lost(database: "Database") -> dict[str, int]:
    from llmproxy_core.store import reads

    with database.connect() as connection:
        summary = reads.summary(connection)
    return {
        "lost_records": summary.lost_records,
        "lost_bodies": summary.lost_bodies,
        "refused_rows": summary.refused_rows,
    }


@app.command()
def upgrade() -> None:
    """Bring the schema to what this version needs; does nothing if it is there already.

    \b
    Example:
      llmproxy db upgrade
    """
    from llmproxy_core.store import migrate
    from llmproxy_core.store.database import open_database

    with open_database(*settings(), application_name="llmproxy db") as database:
        found = migrate.upgrade(database)
    typer.echo(f"{database.where}: schema {found.current}")


@app.command()
def stop() -> None:
    """Stop the embedded Postgres, whoever uses it. Who still needs it starts it again.

    \b
    Example:
      llmproxy db stop
    """
    from llmproxy_core.store import embedded

    config, home = settings()
    if config.database.url:
        typer.echo("database.url names an external database; there is nothing of ours to stop.")
    elif embedded.stop(home):
        typer.echo("The embedded Postgres has been stopped.")
    else:
        typer.echo("The embedded Postgres was not running.")


@app.command()
def url() -> None:
    """Print how to connect (without the password); starts the embedded Postgres if need be.

    \b
    Example:
      psql "$(llmproxy db url)"
    """
    from llmproxy_core.store.database import open_database

    with open_database(*settings(), application_name="llmproxy db") as database:
        typer.echo(database.url)
