"""Which commands there are."""

from importlib.metadata import version
from typing import Annotated

import typer

from llmproxy_core.cli import (
    anomalies,
    approvals,
    audit,
    cert,
    config,
    db,
    demo,
    doctor,
    enhancements,
    experiments,
    export,
    feedback,
    flows,
    import_,
    keys,
    limits,
    ns,
    patterns,
    policies,
    proxy,
    run,
    scan,
    search,
    sessions,
    show,
    star,
    stats,
    transform,
    tui,
    webhooks,
    worker,
)

EXIT_FAILED = 1
EXIT_PROXY_DOWN = 3

EPILOG = """\b
Exit codes: 0 done; 1 failed, stderr says why; 2 wrong use; 3 the proxy is
not running; 4 there is no such call, session, anomaly, webhook, pattern,
enhancement or experiment; 130 interrupted. `run` ends with the code of the program it ran (126: cannot
be executed, 127: not found).

\b
Start with:   llmproxy demo
Then:         llmproxy proxy                    in one terminal
              llmproxy run -- python agent.py   in a second one
              llmproxy tui                      in a third one
"""

app = typer.Typer(
    name="llmproxy",
    help="See every LLM call of every program on this machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"llmproxy {version('llmproxy')}")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and exit."),
    ] = False,
) -> None:
    """See every LLM call of every program on this machine."""


# proxy and run hand on what they do not know, as it stands
HANDED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app.command("proxy", context_settings=HANDED_ON, short_help="Run the proxy.")(proxy.proxy)
app.command(
    "run",
    context_settings=HANDED_ON | {"allow_interspersed_args": False},
    short_help="Run a program through the proxy.",
)(run.run)
app.command("env", short_help="Print the environment for programs.")(run.env)
app.command("cert", short_help="The CA, and how to trust it.")(cert.cert)
app.command("doctor", short_help="Check everything; say what to do.")(doctor.doctor)
app.command("tui", short_help="Watch the calls, live.")(tui.tui)
app.command("flows", short_help="List the last calls, or follow them.")(flows.flows)
app.add_typer(sessions.app, name="sessions")
app.command("show", short_help="Show one call.")(show.show)
app.command("import", short_help="Store the calls that files hold.")(import_.import_)
app.command("export", short_help="Write calls for other programs.")(export.export)
app.command("search", short_help="Find calls by what was said in them.")(search.search)
app.command("scan", short_help="Judge texts as the proxy judges them.")(scan.scan)
app.command("stats", short_help="Sums and percentiles, by model, client or time.")(stats.stats)
app.command("worker", short_help="Store what the proxies have recorded.")(worker.worker)
app.command("star", short_help="Keep a session for good.")(star.star)
app.command("unstar", short_help="Take its star away.")(star.unstar)
app.add_typer(ns.app, name="ns")
app.add_typer(anomalies.app, name="anomalies")
app.add_typer(policies.app, name="policies")
app.add_typer(approvals.app, name="approvals")
app.add_typer(keys.app, name="keys")
app.command("limits", short_help="How far limits and budgets are used up.")(limits.limits)
app.add_typer(patterns.app, name="patterns")
app.add_typer(transform.app, name="transform")
app.add_typer(enhancements.app, name="enhancements")
app.add_typer(experiments.app, name="experiments")
app.command("feedback", short_help="Say whether an answer was good.")(feedback.feedback)
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(audit.app, name="audit")
app.add_typer(db.app, name="db")
app.add_typer(config.app, name="config")
app.command("demo", short_help="See all of it alive, without a key.")(demo.demo)
