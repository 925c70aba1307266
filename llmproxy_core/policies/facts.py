"""What is known of a call, by the names that expressions use (`expressions.variables`).

Only what is asked for is found out: that a policy looks at the tools of a request costs reading it.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from llmproxy_core.anomaly.located import Located
from llmproxy_core.model import Request, Response
from llmproxy_core.providers.operation import operation

READ = frozenset(
    {
        "request.max_tokens",
        "request.messages",
        "request.stream",
        "request.temperature",
        "request.tools",
    }
)
"""What only a request that has been read tells."""
MAX_TOKENS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "generationConfig.maxOutputTokens",
    "generation_config.max_output_tokens",
    "inferenceConfig.maxTokens",
    "options.num_predict",
)
TEMPERATURE = (
    "temperature",
    "generationConfig.temperature",
    "generation_config.temperature",
    "inferenceConfig.temperature",
    "options.temperature",
)
"""Under which names the formats have them, see `providers.settings`."""

type Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """A call without its body. `at`: seconds since 1970. None and "": not known."""

    namespace: str
    provider: str
    wire: str
    host: str
    method: str
    path: str
    at: float
    client: str = ""
    """Address and port of the program."""
    user_agent: str | None = None
    proxy_user: str | None = None
    credential: str | None = None
    session: str | None = None
    model: str | None = None
    body_bytes: int = 0


def of_request(
    about: About, asked: Collection[str], read: Callable[[], Request | None] = lambda: None
) -> Facts:
    """`asked`: the variables that are looked at. `read`: the request, if it must be read."""
    local = time.localtime(about.at)
    facts: Facts = {
        "namespace": about.namespace,
        "client.name": (about.user_agent or "").partition("/")[0].strip() or None,
        "client.user": about.proxy_user,
        "client.address": _address(about.client) or None,
        "key.fingerprint": about.credential,
        "session.id": about.session,
        "provider.name": about.provider,
        "provider.host": about.host,
        "operation": operation(about.wire),
        "model": about.model,
        "request.method": about.method,
        "request.path": about.path.partition("?")[0],
        "request.bytes": about.body_bytes,
        "time.hour": local.tm_hour,
        "time.weekday": local.tm_wday + 1,
    }
    if not READ.isdisjoint(asked) and (request := read()) is not None:
        facts |= _of_body(request)
    return facts


def of_findings(found: Collection[Located]) -> Facts:
    """What all findings together say."""
    return {
        "findings.count": len(found),
        "findings.families": sorted({one.finding.family for one in found}),
        "findings.score": max((one.finding.score for one in found), default=0.0),
    }


def of_response(response: Response, status: int | None, body_bytes: int, ms: float | None) -> Facts:
    """What an answer says when it is over."""
    usage = response.usage
    return {
        "response.status": status,
        "response.model": response.model,
        "response.finish_reasons": response.finish_reasons,
        "response.input_tokens": usage.input_tokens if usage else None,
        "response.output_tokens": usage.output_tokens if usage else None,
        "response.bytes": body_bytes,
        "response.ms": ms,
    }


def _of_body(request: Request) -> Facts:
    return {
        "request.messages": len(request.messages),
        "request.tools": [tool.name for tool in request.tools],
        "request.stream": request.stream,
        "request.max_tokens": _first(request, MAX_TOKENS),
        "request.temperature": _first(request, TEMPERATURE),
    }


def _first(request: Request, names: tuple[str, ...]) -> Any:
    return next((request.parameters[name] for name in names if name in request.parameters), None)


def _address(client: str) -> str:
    """Without the port."""
    if client.startswith("["):
        return client[1:].partition("]")[0]
    return client.partition(":")[0] if client.count(":") == 1 else client
