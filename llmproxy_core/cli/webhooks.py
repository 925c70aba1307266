"""`llmproxy webhooks`: who is told of findings and waiting calls, and whether that works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.surroundings import settings, store, warn

if TYPE_CHECKING:
    from llmproxy_core.config import WebhookConfig
    from llmproxy_core.webhooks import Reply

app = typer.Typer(
    help="Who is told of findings, decisions and calls that wait.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

NO_SUCH_WEBHOOK = 4
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@app.command("list", short_help="The webhooks, and what they were told.")
def list_(json_: Json = False) -> None:
    """The webhooks of mitm.toml; what they were told in the last 7 days, and what waits.

    \b
    Example:
      llmproxy webhooks list
      llmproxy webhooks list --json
    """
    from llmproxy_core.store import deliveries

    config, home = settings()
    with store("llmproxy webhooks") as database, database.raw() as connection:
        counted = deliveries.counts(connection, str(home.path))
    for webhook in config.webhooks:
        ours = [one for one in counted if one.webhook == webhook.name]
        numbers = {one.state: one.number for one in ours}
        answers = [one.answer for one in ours if one.answer]
        typer.echo(_line(webhook, numbers, answers, as_json=json_))


@app.command("test", short_help="Send a test message.")
def try_(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The webhook; all if left out.")
    ] = None,
) -> None:
    """Send a test message to a webhook, signed as all are, and print what it answers.

    Exit code 1 if one does not take it, 4 if there is no such webhook.

    \b
    Example:
      llmproxy webhooks test
      llmproxy webhooks test ops
    """
    wanted = [one for one in settings()[0].webhooks if name in (None, one.name)]
    if not wanted:
        warn(
            f"there is no webhook {name} in mitm.toml" if name else "mitm.toml has no [[webhooks]]"
        )
        raise typer.Exit(NO_SUCH_WEBHOOK)
    replies = [(webhook, _try(webhook)) for webhook in wanted]
    for webhook, reply in replies:
        typer.echo(f"{webhook.name} ({webhook.where}): {reply.said}")
    if not all(reply.ok for _, reply in replies):
        raise typer.Exit(1)


def _try(webhook: WebhookConfig) -> Reply:
    from uuid import uuid4

    from llmproxy_core.webhooks import Line, secret, signed

    line = Line()
    sent = _message(webhook).encode()
    try:
        return line.send(webhook.url, signed(secret(webhook), f"msg_{uuid4().hex}", sent), sent)
    finally:
        line.close()


def _message(webhook: WebhookConfig) -> str:
    from datetime import UTC, datetime

    from llmproxy_core.webhooks import Notice, body

    said = "This is a test of llmproxy: nothing was found."
    data: dict[str, Any] = {"test": True}
    return body(webhook, Notice("anomaly", "default", datetime.now(UTC), said, "low", data))


def _line(
    webhook: WebhookConfig, numbers: dict[str, int], answers: list[str], *, as_json: bool
) -> str:
    if as_json:
        facts = {
            "name": webhook.name,
            "where": webhook.where,
            "events": webhook.events,
            "severity": webhook.severity,
            "signed": bool(webhook.secret_env or webhook.secret_file),
            **{state: numbers.get(state, 0) for state in ("delivered", "waiting", "failed")},
            "answer": answers[0] if answers else None,
        }
        return json.dumps(facts)
    told = ", ".join(f"{number} {state}" for state, number in sorted(numbers.items()))
    events = ", ".join(webhook.events)
    last = f"; last answer: {answers[0]}" if answers else ""
    return f"{webhook.name:16} {webhook.where}  {events}: {told or 'nothing told yet'}{last}"
