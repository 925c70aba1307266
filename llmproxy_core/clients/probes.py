"""Does each runtime on this machine trust the CA and use the proxy? Tried, not guessed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from llmproxy_core.clients import runtimes
from llmproxy_core.clients.authority import ensure_authority
from llmproxy_core.clients.bundle import ensure_bundle, ensure_java_truststore
from llmproxy_core.clients.check import Check
from llmproxy_core.clients.endpoint import Endpoint
from llmproxy_core.clients.environment import java_variables, variables
from llmproxy_core.clients.relay import Relay
from llmproxy_core.clients.runtimes import NOT_INSTALLED, URL, Outcome, Runtime
from llmproxy_core.home import Home

DISTRUST = (
    "certificate",
    "self_signed",
    "unable_to_verify",
    "unable_to_get_issuer",
    "pkix",
    "unknownissuer",
    "ssl",
)
"""Words in which runtimes complain of a CA that they do not know."""


def probe_runtimes(proxy: Endpoint, home: Home) -> Iterator[Check]:
    """One check for each runtime found; `proxy` has to be running."""
    bundle = ensure_bundle(ensure_authority(proxy.confdir), home)
    plain = {key: value for key, value in os.environ.items() if key.upper() != "NO_PROXY"}
    for runtime in runtimes.found():
        with Relay(proxy.host, proxy.port) as relay:
            way = replace(proxy, host="127.0.0.1", port=relay.port)
            environment = plain | variables(way, bundle, plain)
            if runtime.java:
                truststore = ensure_java_truststore(bundle)
                environment |= java_variables(way, truststore, plain)
            outcome = runtimes.call(runtime, environment)
        if outcome.status != NOT_INSTALLED:
            yield _judge(runtime, outcome, relay)


def _judge(runtime: Runtime, outcome: Outcome, relay: Relay) -> Check:
    name = runtime.name
    if relay.refusals:
        return _refused(name, relay.refusals[0])
    if not relay.connects:
        if runtime.advice:
            return Check(name, "warn", "does not use the proxy", runtime.advice)
        return Check(
            name,
            "fail",
            f"did not use the proxy: {_reason(outcome)}",
            'start it with `llmproxy run -- …`, or after `eval "$(llmproxy env)"`',
        )
    if outcome.status == 0:
        return Check(name, "ok", "trusts the CA and uses the proxy")
    reason = _reason(outcome)
    if any(word in outcome.stderr.lower() for word in DISTRUST):
        todo = "see certs/README.md for this runtime"
        return Check(name, "fail", f"does not trust the CA: {reason}", todo)
    return Check(name, "warn", f"could not be tried: {reason}", f"check by hand: {URL}")


def _refused(name: str, line: str) -> Check:
    if " 407" in line:
        return Check(
            name,
            "fail",
            "the proxy wants a password that the settings do not tell",
            "put user:password into LLMPROXY_LOGIN (proxy.auth names a file of hashes)",
        )
    return Check(
        name,
        "warn",
        f"the proxy cannot reach {URL} ({line})",
        "is this machine connected to the internet? Then CA trust can be tried",
    )


def _reason(outcome: Outcome) -> str:
    if outcome.status is None:
        return "it took too long"
    lines = [line for line in outcome.stderr.splitlines() if "JAVA_TOOL_OPTIONS" not in line]
    said = [line.strip() for line in lines if line.strip() and not line.startswith("\tat ")]
    telling = [line for line in said if any(word in line.lower() for word in DISTRUST)]
    best = telling[-1:] or said[-1:] or [f"exit status {outcome.status}"]
    return best[0][:200]


def no_proxy_check(environ: Mapping[str, str] = os.environ) -> Check:
    """A NO_PROXY of the user is kept, so it may keep the calls away from us."""
    value = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name.strip().lstrip("*.") for name in value.split(",") if name.strip()]
    hosts = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com")
    hidden = [h for h in hosts if any(n == "" or h == n or h.endswith("." + n) for n in names)]
    if hidden:
        todo = "take them out of NO_PROXY, or their calls are not seen"
        return Check("NO_PROXY", "warn", f"{value!r} leaves out {', '.join(hidden)}", todo)
    return Check("NO_PROXY", "ok", f"{value!r} leaves out no provider" if value else "not set")
