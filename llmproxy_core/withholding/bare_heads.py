"""Heads of requests and answers without any text: of headers that are not listed, only the name.

A gateway's headers may hold a prompt, a title, a person's words. Credentials have been replaced
before.
"""

import re
from http import HTTPStatus

import msgspec

from llmproxy_core.model import Headers
from llmproxy_core.records import Answer
from llmproxy_core.withholding.vocabulary import keys

NAMES = keys("""
    accept accept-encoding accept-language age alt-svc api-key apim-request-id authorization
    cache-control cf-cache-status cf-ray connection content-length content-type cookie date etag
    expires host ocp-apim-subscription-key originator pragma proxy-authorization retry-after
    sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol
    sec-websocket-version server server-timing set-cookie strict-transport-security te traceparent
    trailer transfer-encoding upgrade user-agent vary version via x-api-key x-app
    x-content-type-options x-goog-api-client x-goog-api-key x-process-time x-robots-tag
""")
BEGINNINGS = (
    "anthropic-",
    "openai-",
    "x-amz-",
    "x-amzn-",
    "x-claude-code-",
    "x-codex-",
    "x-envoy-",
    "x-groq-",
    "x-ms-",
    "x-ratelimit-",
    "x-stainless-",
)
TEXTS = re.compile(r"message|meta|prompt|text|title")
"""In the name of a header: it may hold words."""
ID = re.compile(r"[\w.:=+/|-]{1,128}", re.ASCII)
QUERIES = keys("alt api-version api_version beta deployment intent key model stream version")
NOTE = ("llmproxy-capture", "metadata")
"""Stands among the headers of a body that is written without its texts."""
CODING = "content-encoding"


def headers(fields: Headers) -> Headers:
    """As they are written beside a skeleton, which has no content coding."""
    kept = [(name, value if _is_told(name, value) else "") for name, value in fields]
    return [*((name, value) for name, value in kept if name.lower() != CODING), NOTE]


def trailers(fields: Headers) -> Headers:
    return [(name, value if _is_told(name, value) else "") for name, value in fields]


def path(path: str) -> str:
    """With the names of all parameters, and the values of those that are listed."""
    start, mark, query = path.partition("?")
    return start + mark + "&".join(map(_parameter, query.split("&")))


def answer(head: Answer) -> Answer:
    """The head of an answer."""
    bare = headers(head.headers)
    return msgspec.structs.replace(head, headers=bare, reason=reason(head.status, head.reason))


def reason(status: int, told: str) -> str:
    """The usual words for a status, whatever was said."""
    try:
        return HTTPStatus(status).phrase if told else ""
    except ValueError:
        return ""


def _is_told(name: str, value: str) -> bool:
    name = name.lower()
    if TEXTS.search(name):
        return False
    if name.endswith(("-id", "_id")):
        return ID.fullmatch(value) is not None
    return name in NAMES or name.startswith(BEGINNINGS)


def _parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return parameter if name in QUERIES else name + equals
