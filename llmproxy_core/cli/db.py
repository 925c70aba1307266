"""`llmproxy db`: the database, embedded or external."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.home import actor

if TYPE_CHECKING:
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.policies import PgConnection

MOST_DAYS = 36_500

app = typer.Typer(
    help="The database: status, upgrade, retention, roles, grant, revoke, stop, url.",
    no_args_is_help=True,
    rich_markup_mode=None,
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
            more = _contents(connection) if schema.state == "current" else {}
        lost = _lost(database) if schema.state == "current" else {}
    found = {
        "database": database.where,
        "embedded": database.embedded,
        "postgres": f"{server // 10_000}.{server % 10_000}",
        "schema": schema.current,
        "needed": schema.head,
        "state": schema.state,
        **more,
    }
    found |= lost
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            typer.echo(f"{name:<12} {_text(value)}")
        if schema.state in ("empty", "behind"):
            typer.echo("\nRun: llmproxy db upgrade")
    if schema.state != "current":
        raise typer.Exit(1)


def _lost(database: Database) -> dict[str, int]:
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


@app.command()
def retention(
    days: Annotated[
        str | None,
        typer.Argument(metavar="DAYS|forever|default", help="Leave it out to see what is set."),
    ] = None,
    namespace: Annotated[str, typer.Option("--ns", metavar="NAME")] = "default",
) -> None:
    """For how long a namespace keeps its calls; `default`: as retention.days in mitm.toml says.

    \b
    Example:
      llmproxy db retention
      llmproxy db retention --ns research 90
    """
    from llmproxy_core.store import retention as keeping

    with store("llmproxy db") as database, database.raw() as connection:
        if days is not None:
            keeping.keep(connection, namespace, _days(days), actor())
            connection.commit()
        default = settings()[0].retention.days
        for kept in keeping.settings(connection):
            source = " (retention.days)" if kept.days is None else ""
            typer.echo(f"{kept.namespace:<16} {_for(kept.in_force(default))}{source}")


@app.command()
def roles() -> None:
    """Make the group roles that are missing; tell who may read what.

    \b
    Example:
      llmproxy db roles
    """
    from llmproxy_core.store import policies

    with store("llmproxy db") as database, database.raw() as connection:
        found = policies.make_roles(connection)
    for role in policies.ROLES:
        typer.echo(f"{role:<16} {'missing' if role in found.missing else 'there'}")
    for role, namespace in found.members:
        typer.echo(f"{role:<16} reads {namespace}")
    if found.missing:
        warn(f"this login may not make roles; have an administrator run:\n{found.sql}")
        typer.echo("Then run `llmproxy db roles` again.")
        raise typer.Exit(1)


@app.command()
def grant(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A login or group of the server.")],
    namespace: Annotated[str, typer.Option("--ns", metavar="NAME")],
) -> None:
    """Let a role of the database read a namespace, and nothing else.

    \b
    Example:
      llmproxy db grant alice --ns research
    """
    from llmproxy_core.store import policies

    with store("llmproxy db") as database, database.raw() as connection:
        todo = policies.grant(connection, role, namespace, actor())
    typer.echo(f"{role} may read {namespace}")
    if todo:
        warn(f"this login may not grant roles; have an administrator run: {todo}")
        raise typer.Exit(1)


@app.command()
def revoke(
    role: Annotated[str, typer.Argument(metavar="ROLE")],
    namespace: Annotated[str, typer.Option("--ns", metavar="NAME")],
) -> None:
    """Take back what `grant` gave.

    \b
    Example:
      llmproxy db revoke alice --ns research
    """
    from llmproxy_core.store import policies

    with store("llmproxy db") as database, database.raw() as connection:
        taken = policies.revoke(connection, role, namespace, actor())
    typer.echo(f"{role} {'may no longer' if taken else 'could not'} read {namespace}")


def _contents(connection: PgConnection) -> dict[str, Any]:
    from llmproxy_core.store import audit, partitions, policies
    from llmproxy_core.store import retention as keeping

    default = settings()[0].retention.days
    kept = keeping.settings(connection)
    parts = partitions.sizes(connection)
    dropped = audit.newest(connection, action="retention drop", limit=1)
    missing = policies.roles(connection).missing
    return {
        "weeks": len({part.epoch for part in parts}),
        "bytes": sum(part.bytes for part in parts),
        "kept": {one.namespace: _for(one.in_force(default)) for one in kept},
        "dropped": f"{dropped[0][1].target}, on {dropped[0][1].at:%Y-%m-%d}" if dropped else None,
        "roles": f"missing: {', '.join(missing)}; see `llmproxy db roles`" if missing else "there",
    }


def _days(text: str) -> int | None:
    if text in ("forever", "default"):
        return 0 if text == "forever" else None
    if not text.isdecimal() or not 0 < int(text) <= MOST_DAYS:
        raise typer.BadParameter(
            f"{text!r}: a number of days up to {MOST_DAYS}, forever or default"
        )
    return int(text)


def _for(days: int) -> str:
    return f"{days} days" if days else "for ever"


def _text(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return "nothing yet" if value is None else value
