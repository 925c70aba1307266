"""All checks, in the order in which a person would make them."""

from collections.abc import Iterator

from llmproxy_core import config
from llmproxy_core.clients.check import Check
from llmproxy_core.clients.endpoint import Endpoint, endpoint
from llmproxy_core.clients.guard import advisor_check, limits_check, webhooks_check
from llmproxy_core.clients.learning import learning_check
from llmproxy_core.clients.machine import (
    authority_check,
    disk_check,
    home_check,
    proxy_check,
    versions_check,
)
from llmproxy_core.clients.probes import no_proxy_check, probe_runtimes
from llmproxy_core.clients.storage import backlog_check, database_check
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home, open_home


def examine() -> Iterator[Check]:
    """Checks as they are made; one that everything else needs ends them where it fails."""
    yield versions_check()
    try:
        home = open_home()
        yield home_check(home)
        yield disk_check(home)
        settings = config.load(home=home.path)
    except LlmproxyError as exc:
        yield Check("settings", "fail", str(exc), "mend it, then run llmproxy doctor again")
        return
    yield Check("settings", "ok", str(settings.source or "no mitm.toml: defaults in force"))
    yield database_check(settings, home)
    yield backlog_check(settings, home)
    yield limits_check(settings, home)
    yield advisor_check(settings)
    yield learning_check(settings, home)
    yield webhooks_check(settings)
    proxy = endpoint(settings, home)
    yield authority_check(proxy)
    yield no_proxy_check()
    up = proxy_check(proxy)
    yield up
    if up.state == "ok":
        yield from _guarded_probes(proxy, home)


def _guarded_probes(proxy: Endpoint, home: Home) -> Iterator[Check]:
    try:
        yield from probe_runtimes(proxy, home)
    except LlmproxyError as exc:
        yield Check("runtimes", "fail", str(exc))
