"""`llmproxy policies test`: what a policy would have done."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.policy_options import Name, checked
from llmproxy_core.cli.since import moment
from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.errors import StoreError
from llmproxy_core.plural import counted
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.config import Config, PolicyConfig
    from llmproxy_core.store.database import Database
    from llmproxy_core.trial import Trial


def try_out(
    name: Name,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="24h, 7d, 2w, or a date: 2026-05-17.")
    ] = "7d",
    expression: Annotated[
        str | None, typer.Option("--when", metavar="EXPR", help="Try this expression in its place.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Calls, the newest.")] = 20_000,
    as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False,
) -> None:
    """What a policy would have done with the calls that are stored, and how often wrongly.

    It is asked as if it were in force. People's verdicts on findings bound its false positives.

    \b
    Example:
      llmproxy policies test no-keys --since 7d
      llmproxy policies test no-keys --when 'finding.family == "secret" and finding.score > 0.9'
    """
    from llmproxy_core import trial

    config, _ = settings()
    with store("llmproxy policies") as database:
        known = _in_force(database, config)
        if name not in known:
            raise StoreError(f"There is no policy {name!r}. `llmproxy policies list` has all.")
        policy = known[name]
        if expression is not None:
            told = policy.model_dump(mode="json", exclude_defaults=True)
            policy = checked(told | {"when": expression})
        begin = moment(since, datetime.now(UTC))
        found = trial.run(database, policy, known.values(), begin, most, _progress)
    if as_json:
        print_json(_trial(found))
        return
    for line in trial.lines(found):
        typer.echo(plain.block(line).replace("\n", " "))


def _progress(done: int, of: int) -> None:
    """For who waits at a terminal."""
    if sys.stderr.isatty() and (done % 100 == 0 or done == of):
        sys.stderr.write(f"\r{done:,} of {counted(of, 'call')}{chr(10) if done == of else ''}")
        sys.stderr.flush()


def _trial(found: Trial) -> dict[str, Any]:
    acted = [
        {"outcome": outcome, "phase": phase, "namespace": namespace, "calls": number}
        for (outcome, phase, namespace), number in sorted(found.acted.items())
    ]
    return {
        "policy": found.policy.name,
        "when": found.policy.when,
        "since": found.since,
        "calls": found.calls,
        "acted_on": found.hit,
        "acted": acted,
        "findings": found.findings,
        "labelled": found.judged.labelled,
        "false_positives": found.judged.false,
        "bound": found.judged.bound,
        "examples": found.examples,
        "without_texts": found.without_texts,
        "unreadable": found.unreadable,
        "faults": sorted(found.faults),
        "more": found.more,
    }


def _in_force(database: Database, config: Config) -> dict[str, PolicyConfig]:
    """By name: those of the table, and those of the file, which come first."""
    from llmproxy_core.store import security_policies
    from llmproxy_core.store.database import driver

    with database.connect() as connection:
        rows = security_policies.policies(driver(connection))
    fitting, problems = security_policies.fitting(rows)
    for problem in problems:
        warn(problem)
    return {policy.name: policy for policy in (*fitting, *config.policies)}
