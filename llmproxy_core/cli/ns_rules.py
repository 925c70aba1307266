"""`llmproxy ns add` and `set`: the rules that the table holds."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.surroundings import settings, store, warn
from llmproxy_core.home import actor

if TYPE_CHECKING:
    from llmproxy_core.config import Config
    from llmproxy_core.home import Home
    from llmproxy_core.store.namespaces import Rule


class OnTooLong(StrEnum):
    shorten = "shorten"
    skip = "skip"
    refuse = "refuse"


class Capture(StrEnum):
    full = "full"
    metadata = "metadata"
    off = "off"


Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `.`, `_` and `-`.")]
Prefix = Annotated[
    str | None,
    typer.Option(metavar="P", help="Put before the names of its tools at the provider."),
]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="N=V", help="A header of the request. May be repeated."),
]
User = Annotated[
    list[str] | None, typer.Option("--user", metavar="U", help="Who logged in to the proxy.")
]
Client = Annotated[
    list[str] | None,
    typer.Option("--client", metavar="CIDR", help="The program's address, or its network."),
]
Key = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="FP", help="Fingerprint of the provider's key: fp_…"),
]
Provider = Annotated[
    list[str] | None, typer.Option("--provider", metavar="P", help="As in `llmproxy flows`.")
]
UserAgent = Annotated[
    list[str] | None, typer.Option("--user-agent", metavar="G", help="As in claude-cli/*.")
]
Model = Annotated[
    list[str] | None, typer.Option("--model", metavar="G", help="The model that is asked for.")
]
Session = Annotated[
    list[str] | None,
    typer.Option("--session", metavar="G", help="A session id, or a coding agent's folder."),
]
Reserved = Annotated[
    bool, typer.Option("--reserved", help="Only for those who logged in to the proxy.")
]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="USER", help="Only for this user, or these.")
]
TooLong = Annotated[
    OnTooLong | None,
    typer.Option("--on-too-long", help="Names too long for the provider; default: shorten."),
]
PlainText = Annotated[
    bool | None,
    typer.Option("--plain-text/--no-plain-text", help="Names within texts have the prefix, too."),
]
Captured = Annotated[
    Capture | None,
    typer.Option("--capture", help="What is kept of its calls: all, no text, or nothing."),
]
Before = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Tried before this one; default: after all others."),
]


def add(
    name: Name,
    prefix: Prefix = None,
    header: Header = None,
    user: User = None,
    client: Client = None,
    key: Key = None,
    provider: Provider = None,
    user_agent: UserAgent = None,
    model: Model = None,
    session: Session = None,
    reserved: Reserved = False,
    only: Only = None,
    on_too_long: TooLong = None,
    plain_text: PlainText = None,
    capture: Captured = None,
    before: Before = None,
) -> None:
    """Give a namespace a rule; it is made if it is new.

    A call is in the first namespace whose options all hold; one that is given several times holds
    if any of its values does. In values, `*` stands for anything. Rules of mitm.toml come first.

    \b
    Example:
      llmproxy ns add payments --prefix pay__ --header x-team=payments
      llmproxy ns add ci --user 'ci-*' --only 'ci-*' --before payments
    """
    from llmproxy_core.cli import rule_words
    from llmproxy_core.store import namespace_changes
    from llmproxy_core.store.database import driver

    match = rule_words.match(
        header or (), proxy_user=user or (), client=client or (), key=key or (),
        provider=provider or (), user_agent=user_agent or (), model=model or (),
        session=session or (),
    )  # fmt: skip
    told = {"name": name} | _given(prefix, reserved, only, on_too_long, plain_text, capture)
    rule = rule_words.checked(told | ({"match": match} if match else {}))
    config, home = settings()
    _not_in_file(config, rule)
    with store("llmproxy ns") as database, database.connect() as connection:
        namespace_changes.add(driver(connection), rule, actor(), before)
    _done(config, home, rule)


def change(
    name: Name,
    prefix: Prefix = None,
    header: Header = None,
    user: User = None,
    client: Client = None,
    key: Key = None,
    provider: Provider = None,
    user_agent: UserAgent = None,
    model: Model = None,
    session: Session = None,
    reserved: Reserved = False,
    only: Only = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Reserved for nobody any more.")
    ] = False,
    no_match: Annotated[
        bool, typer.Option("--no-match", help="Forget all matchers that are not given now.")
    ] = False,
    on_too_long: TooLong = None,
    plain_text: PlainText = None,
    capture: Captured = None,
    before: Before = None,
) -> None:
    """Change the rule of a namespace: what is given replaces what was, the rest stays.

    A new prefix is for new conversations; those that run go on as they began.

    \b
    Example:
      llmproxy ns set payments --prefix p__ --everybody
      llmproxy ns set payments --prefix ''
    """
    from llmproxy_core.cli import rule_words
    from llmproxy_core.store import namespace_changes
    from llmproxy_core.store.database import driver
    from llmproxy_core.store.namespaces import spaces

    match = rule_words.match(
        header or (), proxy_user=user or (), client=client or (), key=key or (),
        provider=provider or (), user_agent=user_agent or (), model=model or (),
        session=session or (),
    )  # fmt: skip
    config, home = settings()
    with store("llmproxy ns") as database, database.connect() as connection:
        found = next(
            (space.rule for space in spaces(driver(connection)) if space.name == name), None
        )
        told: dict[str, Any] = found.settings() if found else {"name": name}
        match = ({} if no_match else told.pop("match", {})) | match
        if everybody:
            told.pop("reserved", None)
        told |= _given(prefix, reserved, only, on_too_long, plain_text, capture)
        rule = rule_words.checked(told | ({"match": match} if match else {}))
        _not_in_file(config, rule)
        namespace_changes.change(driver(connection), rule, actor(), before)
    _done(config, home, rule)


def _given(
    prefix: str | None,
    reserved: bool,
    only: list[str] | None,
    on_too_long: OnTooLong | None,
    plain_text: bool | None,
    capture: Capture | None,
) -> dict[str, Any]:
    if reserved and only:
        raise typer.BadParameter("--reserved is for all users, --only for some: give one of them")
    given: dict[str, Any] = {}
    if prefix is not None:
        given["prefix"] = prefix
    if reserved or only:
        given["reserved"] = only or True
    if on_too_long is not None:
        given["on_too_long"] = on_too_long.value
    if plain_text is not None:
        given["plain_text"] = plain_text
    if capture is not None:
        given["capture"] = capture.value
    return given


def _not_in_file(config: Config, rule: Rule) -> None:
    """What mitm.toml says comes first: a rule that it would put out of force is refused."""
    for written in config.namespaces:
        if written.name == rule.name:
            raise typer.BadParameter(f"{config.source} has a rule for {rule.name}: change it there")
        if rule.prefix and written.prefix == rule.prefix:
            raise typer.BadParameter(
                f"--prefix {rule.prefix!r} is that of {written.name} in {config.source}: two "
                "namespaces cannot have one prefix"
            )


def when(home: Home) -> str:
    """How soon a change is in force."""
    from llmproxy_core.worker.lock import worker_runs

    if worker_runs(home):
        return "Proxies that run know it within 3 seconds."
    return "No worker runs in this home: its proxies know it as soon as one does."


def _done(config: Config, home: Home, rule: Rule) -> None:
    from llmproxy_core.cli.rule_words import words

    prefix = f", prefix {rule.prefix}" if rule.prefix else ""
    typer.echo(f"{rule.name}{prefix}: {words(rule)}")
    typer.echo(when(home))
    if not rule.match and rule.name != "default":
        warn(f"without a matcher no call will be in {rule.name}; see `llmproxy ns set --help`")
    if rule.reserved and not config.proxy.auth:
        warn("proxy.auth is not set, so nobody can log in: no call will be in it")
