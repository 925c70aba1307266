"""`llmproxy keys`: keys of providers that may not be used any more."""

from __future__ import annotations

from typing import Annotated

import typer

from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.ns_rules import when
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.errors import StoreError
from llmproxy_core.home import actor
from llmproxy_core.tui import plain

app = typer.Typer(
    help="Keys of providers: block, unblock, list.", no_args_is_help=True, rich_markup_mode=None
)
PREFIX = "block-fp_"

Key = Annotated[
    str, typer.Argument(metavar="FP", help="Its fingerprint: fp_…, as `llmproxy show` has it.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="What the program is told.")]


@app.command("block", short_help="Refuse every call with a key.")
def block(key: Key, why: Why = "") -> None:
    """Refuse every call with a key, by a policy that is asked before all others.

    \b
    Example:
      llmproxy keys block fp_0123456789ab --why "This key has leaked. Ask the platform team."
    """
    from llmproxy_core.store import policy_changes
    from llmproxy_core.store.database import driver

    _, home = settings()
    with store("llmproxy keys") as database, database.connect() as connection:
        name = policy_changes.block_key(driver(connection), _fingerprint(key), actor(), why)
    typer.echo(f"{key} is blocked, by the policy {name}. {when(home)}")


@app.command("unblock", short_help="Let it be used again.")
def unblock(key: Key) -> None:
    """Let a key be used again.

    \b
    Example:
      llmproxy keys unblock fp_0123456789ab
    """
    from llmproxy_core.store import policy_changes, security_policies
    from llmproxy_core.store.database import driver

    _, home = settings()
    name = policy_changes.key_policy(_fingerprint(key))
    with store("llmproxy keys") as database, database.connect() as connection:
        if security_policies.find(driver(connection), name) is None:
            raise StoreError(f"{key} is not blocked. `llmproxy keys list` has those that are.")
        policy_changes.remove(driver(connection), name, actor())
    typer.echo(f"{key} may be used again. {when(home)}")


@app.command("list", short_help="Those that are blocked.")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """Keys that are blocked, by whom and why.

    \b
    Example:
      llmproxy keys list
    """
    from llmproxy_core.store import security_policies
    from llmproxy_core.store.database import driver

    with store("llmproxy keys") as database, database.connect() as connection:
        found = security_policies.policies(driver(connection))
    blocked = [
        {
            "key": policy.name.removeprefix("block-"),
            "blocked": policy.mode == "active",
            "by": policy.updated_by,
            "at": policy.updated_at,
            "why": policy.settings.get("message", ""),
        }
        for policy in found
        if policy.name.startswith(PREFIX)
    ]
    if as_json:
        print_json(blocked)
        return
    rows = [
        (
            str(one["key"]),
            f"{one['at']:%Y-%m-%d %H:%M}",
            str(one["by"]),
            plain.line(str(one["why"])),
        )
        for one in blocked
        if one["blocked"]
    ]
    heading = ("key", "since", "by", "why")
    for line in aligned([heading, *rows]) if rows else ["No key is blocked."]:
        typer.echo(line)


def _fingerprint(key: str) -> str:
    """Raises BadParameter: somebody may have given the key itself."""
    if not key.startswith("fp_") or len(key) > 32 or not key[3:].isalnum():
        raise typer.BadParameter(
            "a fingerprint is wanted, as fp_0123456789ab: never the key itself"
        )
    return key
