"""`llmproxy ns who` and `test`: whose a call would be, and how it would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.plural import counted
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.cli.trials import Tried
    from llmproxy_core.config import Config
    from llmproxy_core.home import Home
    from llmproxy_core.namespace.rules import Rules

User = Annotated[str | None, typer.Option("--user", metavar="U", help="Logged in to the proxy.")]
Client = Annotated[str, typer.Option("--client", metavar="IP", help="The address of the program.")]
Header = Annotated[
    list[str] | None, typer.Option("--header", metavar="N=V", help="May be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


def who(
    user: User = None,
    client: Client = "127.0.0.1",
    header: Header = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="FP", help="Fingerprint of the provider's key.")
    ] = None,
    provider: Annotated[str, typer.Option("--provider", metavar="P")] = "",
    user_agent: Annotated[str | None, typer.Option("--user-agent", metavar="A")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="M")] = None,
    session: Annotated[
        list[str] | None,
        typer.Option("--session", metavar="S", help="Its id, or an agent's folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """In which namespace such a call would be, and why not in the others.

    \b
    Example:
      llmproxy ns who --user anna --header x-team=payments
    """
    from llmproxy_core.cli.rule_words import by_name
    from llmproxy_core.namespace.caller import Caller

    headers = [(name, one) for name, values in by_name(header or ()).items() for one in values]
    if user_agent is not None:
        headers.append(("user-agent", user_agent))
    caller = Caller(user, client, headers, key, provider, model, session or ())
    verdicts = _rules(*settings()).explain(caller)
    if as_json:
        told = [{"name": v.namespace.name, "takes": v.takes, "why": v.why} for v in verdicts]
        print_json(told)
        return
    width = max(len(verdict.namespace.name) for verdict in verdicts)
    for verdict in verdicts:
        name = plain.line(verdict.namespace.name).ljust(width)
        if verdict.takes:
            prefix = verdict.namespace.prefix
            typer.secho(f"{name}  takes it{f', prefix {prefix}' if prefix else ''}", bold=True)
        else:
            typer.echo(f"{name}  {plain.line(verdict.why)}")


def try_out(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="- is standard input; .gz is undone.")
    ],
    wire: Annotated[
        str | None,
        typer.Option("--wire", help="FILE is the body of one request in this format."),
    ] = None,
    provider: Annotated[
        str, typer.Option("--provider", help="With --wire: whose; default: as the format says.")
    ] = "",
    namespace: Annotated[
        str | None, typer.Option("--ns", metavar="NAME", help="As if it were in this one.")
    ] = None,
    user: User = None,
    client: Client = "",
    header: Header = None,
    as_json: AsJson = False,
) -> None:
    """How the calls in a file would be sent, and whether all of it would come back.

    The file is what `llmproxy export --bodies` writes, a HAR or a flow file of mitmproxy; or, with
    --wire, one body. Of each call: its namespace, each name as it would be sent, or why it would
    not. Requests are changed and changed back, answers as well, in pieces of all sizes. Nothing is
    sent or stored. Exit code 1 if a byte would not come back.

    \b
    Example:
      llmproxy export --bodies --session 3f9a01c2 | llmproxy ns test -
      llmproxy ns test request.json --wire anthropic.messages --ns payments
    """
    from llmproxy_core.cli.rule_words import by_name
    from llmproxy_core.cli.trials import Trials

    config, home = settings()
    extra = [(name, one) for name, values in by_name(header or ()).items() for one in values]
    trials = Trials(config, home, _rules(config, home), namespace, user, client, extra)
    tried = list(trials.body(file, wire, provider) if wire else trials.file(file))
    if as_json:
        print_json([one.facts() for one in tried])
    else:
        for one in tried:
            _print(one)
    lost = sum(bool(one.trial.lost) for one in tried)
    for problem in trials.problems:
        warn(problem)
    if trials.problems and not tried and not wire:
        warn("if this is the body of one request, say of which format: --wire openai.chat")
    if not as_json:
        changed = sum(one.trial.sent.naming is not None for one in tried)
        typer.echo(
            f"{counted(len(tried), 'call')}: {changed} with a prefix, {lost} would not come back"
        )
    if lost or trials.problems:
        raise typer.Exit(1)


def _print(one: Tried) -> None:
    from llmproxy_core.tui.tool_names import REASONS

    done = one.trial.sent
    if done.left_alone:
        fate = f"names left alone: {REASONS.get(done.left_alone, done.left_alone)}"
    elif done.naming is not None:
        fate = f"prefix {done.prefix}"
    else:
        fate = "no tools of the client's in it" if one.namespace.prefix else "no prefix"
    told = (one.place, one.namespace.name, fate, one.wire)
    typer.echo(" · ".join(map(plain.line, told)))
    if done.refused:
        typer.echo(f"  refused: {plain.line(done.refused)}")
    width = max((len(name) for name, _ in one.trial.names), default=0)
    for name, sent in one.trial.names:
        typer.echo(f"  {plain.line(name).ljust(min(width, 64))}  →  {plain.line(sent)}")
    for what in one.trial.lost:
        typer.secho(f"  {what} would NOT come back as it was: please report it", fg="red")
    if done.naming is not None and not one.trial.lost:
        answer = "" if one.trial.answered is None else f", answer {one.trial.answered:,}"
        typer.echo(f"  comes back byte for byte: request {one.bytes:,}{answer} bytes")


def _rules(config: Config, home: Home) -> Rules:
    """Those of mitm.toml, then those of the table. Tells if proxies do not go by them (yet)."""
    from llmproxy_core import rulebook
    from llmproxy_core.namespace.rules import Rules
    from llmproxy_core.store import namespaces
    from llmproxy_core.store.database import driver

    with store("llmproxy ns") as database, database.connect() as connection:
        table, problems = namespaces.fitting(namespaces.rules(driver(connection)))
    rules, clashes = rulebook.merged(config.namespaces, table)
    if rulebook.read(home.rulebook).namespaces != table:
        warn(
            "the proxies of this home do not know all rules of the database yet: does a worker run?"
        )
    for problem in (*problems, *clashes):
        warn(problem)
    return Rules(rules)
