"""`llmproxy policies`: what calls may not have in them, and what becomes of those that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import policy_options, policy_trial, table_options
from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.ns_rules import when
from llmproxy_core.cli.policy_options import Name
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.errors import StoreError
from llmproxy_core.home import actor
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.decisions import Hits
    from llmproxy_core.store.guard_rows import SecurityPolicy
    from llmproxy_core.store.labels import Judged

app = typer.Typer(
    help="Policies: list, show, add, set, remove, test.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HEADING = ("name", "mode", "action", "priority", "24 h", "7 d", "false", "from", "when")

AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


@app.command("list", short_help="All, and how often they applied.")
def show_all(as_json: AsJson = False) -> None:
    """All policies in the order in which they are asked, and how often they applied.

    "false": the highest rate of false positives that people's verdicts on findings leave possible.

    \b
    Example:
      llmproxy policies list
    """
    config, _ = settings()
    with store("llmproxy policies") as database:
        rows = _rows(database)
    if as_json:
        print_json(rows)
        return
    if rows:
        for line in aligned([HEADING, *map(_cells, rows)]):
            typer.echo(line)
    else:
        typer.echo("There is no policy. See `llmproxy policies add --help` and docs/policies.md.")
    table_options.tell_of_file(
        config.source,
        config.policies,
        {row["name"] for row in rows if row["origin"] == "mitm.toml"},
        "policy",
    )


@app.command("show", short_help="One, with what it decided last.")
def show(name: Name, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """One policy, what it says, and what it decided last.

    \b
    Example:
      llmproxy policies show no-keys
    """
    from llmproxy_core.store import decisions

    with store("llmproxy policies") as database:
        row = next((one for one in _rows(database) if one["name"] == name), None)
        with database.connect() as connection:
            newest = decisions.newest(connection, name, limit=10)
    if row is None:
        raise StoreError(f"There is no policy {name!r}. `llmproxy policies list` has all.")
    if as_json:
        print_json(row | {"decisions": newest})
        return
    for key, value in row.items():
        if value not in (None, "", {}):
            typer.echo(f"{key:<18} {plain.line(str(value), 2000)}")
    for one in newest:
        at = f"{one.at.astimezone():%m-%d %H:%M:%S}"
        done = f"{one.outcome}{' (shadow)' if one.mode == 'shadow' else ''}"
        typer.echo(
            plain.line(f"{at}  {one.request_id.hex[-8:]}  {one.namespace}  {done}  {one.why}")
        )


def remove(name: Name) -> None:
    """Take a policy away. What it has decided stays.

    \b
    Example:
      llmproxy policies remove no-keys
    """
    from llmproxy_core.store import policy_changes
    from llmproxy_core.store.database import driver

    config, home = settings()
    policy_options.not_in_file(config, name)
    with store("llmproxy policies") as database, database.connect() as connection:
        policy_changes.remove(driver(connection), name, actor())
    typer.echo(f"{name} is no policy any more. {when(home)}")


def _rows(database: Database) -> list[dict[str, Any]]:
    from llmproxy_core.store import decisions, labels, security_policies
    from llmproxy_core.store.database import driver

    with database.connect() as connection:
        found = security_policies.policies(driver(connection))
        hits = decisions.hits(connection, [policy.name for policy in found])
        judged = labels.judged(driver(connection))
    return [_row(one, hits[one.name], judged[one.name]) for one in found]


def _row(policy: SecurityPolicy, hits: Hits, judged: Judged) -> dict[str, Any]:
    allowed = policy.settings.get("max_false_positive_rate")
    return policy.table() | {
        "origin": policy.origin,
        "home": policy.home,
        "hits_24h": hits.day,
        "hits_7d": hits.week,
        "labelled": judged.labelled,
        "false_positives": judged.false,
        "bound": judged.bound if judged.labelled else None,
        "proven": judged.bound <= allowed if allowed is not None else None,
        "updated_at": policy.updated_at,
        "updated_by": policy.updated_by,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    from llmproxy_core.store.decisions import MOST

    mode = row["mode"]
    if mode == "active" and row["proven"] is False:
        mode = "unproven"
    bound = f"< {row['bound']:.1%}" if row["bound"] is not None else figures.NONE
    return (
        plain.line(row["name"]),
        mode,
        row["action"],
        str(row["priority"]),
        *(f"{row[key]:,}{'+' * (row[key] >= MOST)}" for key in ("hits_24h", "hits_7d")),
        bound,
        row["origin"],
        plain.line(row["when"], 100),
    )


app.command("add", short_help="Add one.")(policy_options.add)
app.command("set", short_help="Change one.")(policy_options.change)
app.command("remove", short_help="Take one away.")(remove)
app.command("test", short_help="What one would have done with stored calls.")(policy_trial.try_out)
