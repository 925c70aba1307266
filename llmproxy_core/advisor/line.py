"""The way to OpenRouter: HTTPS, straight, and never through a proxy, which may be our own."""

import os
from collections.abc import Mapping
from typing import Any

import httpx

from llmproxy_core.advisor.wire import Reply, reply
from llmproxy_core.errors import AdvisorError

VARIABLE = "OPENROUTER_API_KEY"
MOST_BYTES = 2**20
"""Of an answer."""
TITLE = "llmproxy"


class Line:
    """`http`: a client of one's own. The key stays in the environment, and is read for each call.

    Raises:
        AdvisorError: the client would go through a proxy.
    """

    def __init__(self, base_url: str, http: httpx.AsyncClient | None = None) -> None:
        self._url = f"{base_url}/chat/completions"
        self._http = http or httpx.AsyncClient(trust_env=False, follow_redirects=False)
        if self._http.trust_env or any(self._http._mounts.values()):
            raise AdvisorError(
                "the advisor's HTTP client must have trust_env=False and no proxy: what it asks "
                "would come back to our own proxy"
            )

    async def ask(self, body: Mapping[str, Any]) -> Reply:
        """One question, once. A fault of the network is a reply with status 0 and no `usd`."""
        key = os.environ.get(VARIABLE, "").strip()
        headers = {"Authorization": f"Bearer {key}", "X-Title": TITLE}
        try:
            request = self._http.build_request("POST", self._url, json=body, headers=headers)
            answer = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                return await _read(answer)
            finally:
                await answer.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            return Reply(0, usd=0.0, error=f"there is no connection ({type(exc).__name__})")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as exc:
            # ValueError: a key that cannot stand in a header. Its text is not told, nor is theirs.
            return Reply(0, error=f"the connection failed ({type(exc).__name__})")

    async def close(self) -> None:
        await self._http.aclose()


def has_key() -> bool:
    return bool(os.environ.get(VARIABLE, "").strip())


def without_key(text: str) -> str:
    key = os.environ.get(VARIABLE, "").strip()
    return text.replace(key, "***") if key else text


async def _read(answer: httpx.Response) -> Reply:
    parts, size = list[bytes](), 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            return Reply(502, error=f"an answer of more than {MOST_BYTES} bytes")
        parts.append(part)
    if 300 <= answer.status_code < 400:
        return Reply(404, usd=0.0, error="a redirect, which is not followed: see advisor.base_url")
    return reply(answer.status_code, answer.headers, b"".join(parts))
