"""Rules of namespaces in words, and out of the options of a command."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from pydantic import ValidationError

from llmproxy_core.config import NamespaceConfig
from llmproxy_core.model import Json
from llmproxy_core.store.namespaces import DEFAULT, Rule

MATCHERS = {
    "proxy_user": "user",
    "client": "client",
    "key": "key",
    "provider": "provider",
    "user_agent": "user agent",
    "model": "model",
    "session": "session",
}
OPTIONS = {"name": "NAME", "proxy_user": "--user", "reserved": "--only"}
"""Keys of the settings whose option has another name."""
ANYBODY = ["*"]
CAPTURED = {"metadata": "no text is kept", "off": "no call is kept"}


def words(rule: Rule) -> str:
    """`header x-team = payments, user = anna or ci-*; reserved for anna; names in texts, too`"""
    said = [_who(rule)]
    if rule.plain_text:
        said.append("names in texts, too")
    if rule.capture != "full":
        said.append(CAPTURED[rule.capture])
    return "; ".join(said)


def _who(rule: Rule) -> str:
    said = ", ".join(_conditions(rule.match))
    if not said:
        said = "all other calls" if rule.name == DEFAULT else "no call is in it by a rule"
    if rule.reserved == ANYBODY:
        return f"{said}; reserved for users who log in"
    return f"{said}; reserved for {' or '.join(rule.reserved)}" if rule.reserved else said


def _conditions(match: Mapping[str, Json]) -> list[str]:
    headers = match.get("header")
    found = [
        f"header {name} = {_any(values)}"
        for name, values in (headers.items() if isinstance(headers, dict) else ())
    ]
    return found + [
        f"{said} = {_any(match[key])}" for key, said in MATCHERS.items() if key in match
    ]


def _any(values: Json) -> str:
    return " or ".join(map(str, values)) if isinstance(values, list) else str(values)


def match(headers: Sequence[str], **values: Sequence[str]) -> dict[str, Any]:
    """The matchers that were given as options; `values` by their keys."""
    found: dict[str, Any] = {key: list(given) for key, given in values.items() if given}
    if headers:
        found["header"] = by_name(headers)
    return found


def by_name(headers: Sequence[str]) -> dict[str, list[str]]:
    """`x-team=payments` -> {"x-team": ["payments"]}. Raises BadParameter."""
    found: dict[str, list[str]] = {}
    for given in headers:
        name, equals, value = given.partition("=")
        if not equals:
            raise typer.BadParameter(f"--header {given}: write NAME=VALUE, as in x-team=payments")
        found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def checked(settings: Mapping[str, Any]) -> Rule:
    """The rule that a table `[[namespaces]]` would be. Raises BadParameter, naming the option."""
    if settings["name"] == DEFAULT and settings.get("reserved"):
        raise typer.BadParameter(
            "the default namespace takes all other calls: it cannot be reserved"
        )
    try:
        return Rule.of(NamespaceConfig.model_validate(settings))
    except ValidationError as exc:
        problems = [_problem(error) for error in exc.errors(include_url=False)]
        raise typer.BadParameter("; ".join(problems)) from None


def _problem(error: Any) -> str:
    place = [
        part for part in error["loc"] if isinstance(part, str) and part not in ("match", "[key]")
    ]
    option = OPTIONS.get(place[0], f"--{place[0].replace('_', '-')}") if place else "the rule"
    # somebody may have given a key in place of its fingerprint
    value = "" if place[:1] == ["key"] else f" {error['input']!r}"
    told = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    return f"{option}{value}: allowed is {told.removeprefix('Input should be ')}"
