"""The row of a request, and what it says of its session."""

import re

from llmproxy_core.conversations.node import Link
from llmproxy_core.model import Message, Part, Request, header
from llmproxy_core.providers.formats import read_request
from llmproxy_core.records import Opened
from llmproxy_core.store.call_rows import RequestRow, SessionDelta
from llmproxy_core.withholding.unsaid import SKELETON
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.moments import moment
from llmproxy_core.worker.naming import address
from llmproxy_core.worker.sessions import Placed

PREVIEW = 120
ROOT = Link()
TITLE = 80
TAG = re.compile(r"\s*<([A-Za-z][\w-]*)[^<>]*>")


def read(opened: Opened, body: bytes) -> tuple[Request, str | None]:
    """The request and what is wrong with it."""
    if opened.body_kept == "head":
        return Request(), f"not read: only the first {len(body):,} bytes were kept"
    if opened.body_kept == "dropped":
        return Request(), "not read: the spool had no room for the body"
    if opened.body_kept == SKELETON and opened.body_bytes and not body:
        return Request(), "not kept (capture = metadata), and not read"
    request, problem = read_request(opened.wire, opened.path, opened.headers, body)
    return request, None if opened.method == "GET" and not body else problem


def request_row(
    exchange: Exchange, body: bytes, parse_error: str | None, link: Link = ROOT
) -> RequestRow:
    opened, request = exchange.opened, exchange.request
    return RequestRow(
        ns_id=exchange.ns_id,
        id=exchange.id,
        session_id=exchange.session_id,
        started_at=moment(opened.at),
        client=opened.client,
        user_agent=header(opened.headers, "user-agent"),
        proxy_user=opened.proxy_user,
        credential=opened.credential,
        provider=opened.provider,
        wire=opened.wire,
        scheme=opened.scheme,
        host=opened.host,
        port=opened.port,
        method=opened.method,
        path=opened.path,
        http_version=opened.http_version,
        headers=opened.headers,
        model=request.model,
        stream=request.stream,
        n_messages=len(request.messages),
        tool_names=[tool.name for tool in request.tools],
        parameters=request.parameters,
        preview="" if opened.body_kept == SKELETON else _last_words(request.messages),
        body=body,
        body_bytes=opened.body_bytes,
        body_kept=opened.body_kept,
        hash_in=opened.hash_in,
        hash_out=opened.hash_out,
        parse_error=parse_error,
        rereadable=parse_error is None,
        external_id=opened.external_id,
        parent_id=link.parent_id,
        relation=link.relation,
        parent_call=link.parent_call,
        head=link.head,
        namespace_prefix=opened.prefix or None,
        shortened=opened.shortened or None,
        left_alone=opened.left_alone or None,
    )


def session_of_request(exchange: Exchange, placed: Placed) -> SessionDelta:
    opened, request = exchange.opened, exchange.request
    return SessionDelta(
        ns_id=exchange.ns_id,
        id=placed.id,
        external_id=placed.external_id,
        source=placed.source,
        client=address(opened.client),
        user_agent=header(opened.headers, "user-agent"),
        provider=opened.provider,
        model=request.model,
        title="" if opened.body_kept == SKELETON else _first_words(request.messages),
        at=moment(opened.at),
        requests=1,
        flow=exchange.id,
    )


def one_line(text: str, length: int) -> str:
    return " ".join(text[: length * 4].split())[:length]


def _last_words(messages: list[Message]) -> str:
    """Without what an agent has put after it as the system: Claude Code does."""
    said = [message for message in messages if message.role != "system"]
    for message in reversed(said or messages):
        if words := _words(message.parts):
            return one_line(_untagged(words), PREVIEW)
    return ""


def _first_words(messages: list[Message]) -> str:
    """Agents begin with messages of their own, in tags: `<environment_context>`."""
    said = [_words(message.parts) for message in messages if message.role == "user"]
    said = [words for words in said if words]
    plain = [words for words in said if not words.lstrip().startswith("<")]
    return one_line(_untagged((plain or said or [""])[0]), TITLE)


def _words(parts: list[Part]) -> str:
    """What a person wrote, if anything; what programs put around it in tags comes last."""
    texts = [part.text for part in parts if part.kind == "text" and part.text.strip()]
    plain = [text for text in texts if not text.lstrip().startswith("<")]
    others = [part.text for part in parts if part.kind != "text" and part.text.strip()]
    return " ".join(plain or texts or others)


def _untagged(words: str) -> str:
    """`<session> Why? </session> Find a title.` without the tag, if it begins with one."""
    if not (tag := TAG.match(words)):
        return words
    return words[tag.end() :].replace(f"</{tag[1]}>", "", 1).strip() or words
