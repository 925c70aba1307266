"""`llmproxy policies add` and `set`: the policies that the table holds."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import table_options
from llmproxy_core.cli.ns_rules import when as in_force
from llmproxy_core.cli.surroundings import settings, store, warn
from llmproxy_core.home import actor

if TYPE_CHECKING:
    from llmproxy_core.config import Config, PolicyConfig


class ActionOption(StrEnum):
    allow = "allow"
    flag = "flag"
    redact_store = "redact_store"
    redact_wire = "redact_wire"
    block = "block"
    hold = "hold"
    throttle = "throttle"
    deny_tools = "deny_tools"
    allow_models = "allow_models"


class ModeOption(StrEnum):
    active = "active"
    shadow = "shadow"
    off = "off"


class FaultOption(StrEnum):
    open = "open"
    closed = "closed"


class TimeoutOption(StrEnum):
    allow = "allow"
    deny = "deny"


Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `.`, `_` and `-`.")]
WHEN = "The expression that says what it applies to."
When = Annotated[str | None, typer.Option("--when", metavar="EXPR", help=WHEN)]
Action = Annotated[ActionOption | None, typer.Option("--action", help="Default: flag.")]
Mode = Annotated[ModeOption | None, typer.Option("--mode", help="Default: active.")]
Priority = Annotated[int | None, typer.Option("--priority", help="Higher is asked first; 0.")]
Message = Annotated[
    str | None, typer.Option("--message", metavar="TEXT", help="What the program is told.")
]
OnFault = Annotated[
    FaultOption | None, typer.Option("--on-fault", help="Does a call pass that cannot be judged?")
]
Tool = Annotated[
    list[str] | None, typer.Option("--tool", metavar="G", help="For deny_tools. May be repeated.")
]
Model = Annotated[
    list[str] | None, typer.Option("--model", metavar="G", help="For allow_models. As --tool.")
]
PerMinute = Annotated[int | None, typer.Option("--per-minute", metavar="N", help="For throttle.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="For hold; default: 300.")
]
OnTimeout = Annotated[
    TimeoutOption | None, typer.Option("--on-timeout", help="For hold; default: deny.")
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--max-false-positive-rate", metavar="R", help="In shadow until its bound is below."
    ),
]
Advisor = Annotated[
    bool | None, typer.Option("--advisor/--no-advisor", help="Claude takes a deep look.")
]


def add(
    name: Name,
    when: Annotated[str, typer.Option("--when", metavar="EXPR", help=WHEN)],
    action: Action = None,
    mode: Mode = None,
    priority: Priority = None,
    message: Message = None,
    on_fault: OnFault = None,
    tool: Tool = None,
    model: Model = None,
    per_minute: PerMinute = None,
    timeout: Timeout = None,
    on_timeout: OnTimeout = None,
    rate: Rate = None,
    advisor: Advisor = None,
) -> None:
    """Add a policy. See what it would do first: --mode shadow, then `llmproxy policies test`.

    Expressions are told of in docs/expressions.md, actions in docs/policies.md.

    \b
    Example:
      llmproxy policies add no-keys --when 'finding.family == "secret"' --action block
      llmproxy policies add shell --when 'tool in ["bash"]' --action hold --timeout 120
    """
    from llmproxy_core.store import policy_changes
    from llmproxy_core.store.database import driver

    given = table_options.given(
        when=when, action=action, mode=mode, priority=priority, message=message, on_fault=on_fault,
        tools=tool, models=model, per_minute=per_minute, timeout_seconds=timeout,
        on_timeout=on_timeout, max_false_positive_rate=rate, advisor=advisor,
    )  # fmt: skip
    policy = checked({"name": name} | given)
    config, home = settings()
    not_in_file(config, name)
    with store("llmproxy policies") as database, database.connect() as connection:
        policy_changes.add(driver(connection), policy, actor())
    _done(policy, in_force(home))


def change(
    name: Name,
    when: When = None,
    action: Action = None,
    mode: Mode = None,
    priority: Priority = None,
    message: Message = None,
    on_fault: OnFault = None,
    tool: Tool = None,
    model: Model = None,
    per_minute: PerMinute = None,
    timeout: Timeout = None,
    on_timeout: OnTimeout = None,
    rate: Rate = None,
    no_rate: Annotated[
        bool, typer.Option("--no-max-false-positive-rate", help="In force without a proof.")
    ] = False,
    advisor: Advisor = None,
) -> None:
    """Change a policy: what is given replaces what was, the rest stays.

    What only another action has (--tool, --model, --per-minute) goes with it.

    \b
    Example:
      llmproxy policies set no-keys --mode active
      llmproxy policies set no-keys --action hold --timeout 60
    """
    from llmproxy_core.store import policy_changes
    from llmproxy_core.store.database import driver

    given = table_options.given(
        when=when, action=action, mode=mode, priority=priority, message=message, on_fault=on_fault,
        tools=tool, models=model, per_minute=per_minute, timeout_seconds=timeout,
        on_timeout=on_timeout, max_false_positive_rate=rate, advisor=advisor,
    )  # fmt: skip
    config, home = settings()
    not_in_file(config, name)
    with store("llmproxy policies") as database, database.connect() as connection:
        told = policy_changes.own(driver(connection), name).table()
        policy = checked(_changed(told, given, no_rate=no_rate))
        policy_changes.change(driver(connection), policy, actor())
    _done(policy, in_force(home))


def checked(table: dict[str, Any]) -> PolicyConfig:
    """The policy that a table `[[policies]]` would be. Raises BadParameter."""
    from llmproxy_core.errors import ConfigError
    from llmproxy_core.store import security_policies

    try:
        return security_policies.checked(table)
    except ConfigError as exc:
        raise table_options.refused(exc, "policy") from None


def not_in_file(config: Config, name: str) -> None:
    """Raises BadParameter: a `mitm.toml` has it."""
    table_options.not_in_file(config.source, config.policies, "policy", name)


def _changed(told: dict[str, Any], given: dict[str, Any], *, no_rate: bool) -> dict[str, Any]:
    from llmproxy_core.sections.policies import NEEDS

    if given.get("action", told["action"]) != told["action"]:
        told = {key: value for key, value in told.items() if key not in NEEDS.values()}
    if no_rate:
        told.pop("max_false_positive_rate", None)
    return told | given


def _done(policy: PolicyConfig, soon: str) -> None:
    shadow = " (shadow: it says what it would do)" if policy.mode == "shadow" else ""
    mode = "" if policy.mode != "off" else " (off)"
    typer.echo(f"{policy.name}: {policy.action} when {policy.when}{shadow}{mode}")
    typer.echo(soon)
    if policy.max_false_positive_rate is not None and policy.mode == "active":
        warn(
            "it is in shadow until people's verdicts prove that its false positives are fewer "
            f"than {policy.max_false_positive_rate:.1%}; see `llmproxy policies list`"
        )
