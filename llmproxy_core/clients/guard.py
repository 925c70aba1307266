"""Checks of what guards the calls: limits, where they are counted, and the advisor."""

import asyncio
import os

from llmproxy_core.clients.check import Check
from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.limits import shared
from llmproxy_core.metering import levels
from llmproxy_core.supervision import ADVISOR_KEY as KEY

SHOWN = 3


def limits_check(config: Config, home: Home) -> Check:
    """Are there any, can they be counted, and is one used up?"""
    if not config.limits:
        return Check("limits", "ok", "none")
    number = len(config.limits)
    what = f"{number} limit{'s' if number > 1 else ''}, counted in "
    storage = config.limiter.storage
    if storage:
        what += shared.where(storage)
        if problem := asyncio.run(shared.problem(storage)):
            away = config.limiter.when_away
            goes = "each proxy goes by its own count" if away == "open" else "no call passes"
            todo = "start it, or see limiter.storage in mitm.toml"
            return Check("limits", "warn", f"{what}: {problem}; {goes}", todo)
    else:
        what += home.limits.name
    full = [one for one in levels.read(home) or [] if one.used >= one.allowed]
    if full:
        told = "; ".join(f"{one.limit} ({one.whose})" for one in full[:SHOWN])
        return Check("limits", "warn", f"{what}; used up: {told}", "llmproxy limits")
    return Check("limits", "ok", what)


def advisor_check(config: Config) -> Check:
    """Has it a key? The proxy hands on its own to the worker; here it is looked for as well."""
    if not config.advisor.enabled:
        return Check("advisor", "ok", "off")
    if os.environ.get(KEY):
        return Check("advisor", "ok", f"on, {config.advisor.model}; {KEY} is set")
    todo = f"set {KEY} where the proxy, or `llmproxy worker`, is started"
    return Check("advisor", "warn", f"on, but {KEY} is not set here", todo)
