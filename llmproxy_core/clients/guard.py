"""Checks of what guards the calls: limits, where they are counted, the advisor, webhooks."""

import asyncio
import os

from llmproxy_core.clients.check import Check
from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.limits import shared
from llmproxy_core.metering import levels
from llmproxy_core.plural import counted
from llmproxy_core.supervision import ADVISOR_KEY as KEY
from llmproxy_core.webhooks.signature import unset

SHOWN = 3


def limits_check(config: Config, home: Home) -> Check:
    """Are there any, can they be counted, and is one used up?"""
    if not config.limits:
        return Check("limits", "ok", "none")
    what = f"{counted(len(config.limits), 'limit')}, counted in "
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


def webhooks_check(config: Config) -> Check:
    """Can what is told be signed? The worker, which tells it, may have another environment."""
    if not config.webhooks:
        return Check("webhooks", "ok", "none")
    problems = "; ".join(unset(config.webhooks))
    if problems:
        todo = "set it where the proxy, or `llmproxy worker`, is started; llmproxy webhooks test"
        return Check("webhooks", "warn", problems, todo)
    unsigned = [one.name for one in config.webhooks if not (one.secret_env or one.secret_file)]
    what = counted(len(config.webhooks), "webhook")
    what += f", not signed: {', '.join(unsigned)}" if unsigned else ", signed"
    return Check("webhooks", "ok", what)
