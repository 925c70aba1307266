"""Calls as cases: what is to be judged of one that has just ended, or of one that is stored."""

from collections.abc import Iterable
from dataclasses import replace

from llmproxy_core.anomaly.detectors import finding
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.model import Request, Response, header
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.policies import Policies
from llmproxy_core.policies.facts import About, Facts, of_request, of_response
from llmproxy_core.records import Closed, Decision, Judgement
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.guard_rows import Side
from llmproxy_core.trial.calls import about
from llmproxy_core.worker.cases import Case, texts
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.moments import nanoseconds
from llmproxy_core.worker.seal import Sealed

SIDES: tuple[Side, ...] = ("request", "response")


def case_of(
    exchange: Exchange, record: Closed, sealed: Sealed, policies: Policies, *, whole: bool
) -> Case:
    """A call that has just ended. `whole`: nobody has judged its request."""
    opened, row = exchange.opened, sealed.response
    case = Case(
        exchange.ns_id,
        opened.namespace,
        opened.id,
        record.at,
        model=exchange.request.model or "",
        decided=_decided(opened.judged, record.judged),
        asked=_asked(opened.judged),
    )
    if opened.body_kept != "skeleton":  # then the proxy has judged both
        request = exchange.request if whole or _is_left(opened.judged) else None
        names = ClientNames(opened.prefix, opened.shortened)
        case.texts = list(_named(texts(request, sealed.answer), names))
    if policies.of("answer") or (policies.all and case.texts):
        case.facts = _facts(_about_opened(exchange), exchange.request, policies)
        case.facts |= _of_answer(row, sealed.answer)
    return case


def stored_case(
    namespace: str,
    asked: RequestRow,
    told: ResponseRow,
    request: Request,
    answer: Response,
    *,
    whole: bool,
    decided: Iterable[str],
    policies: Policies | None,
) -> Case:
    """A call out of the store."""
    case = Case(
        asked.ns_id,
        namespace,
        asked.id.bytes,
        nanoseconds(told.ended_at),
        model=asked.model or "",
        decided=frozenset((side, name) for name in decided for side in SIDES),
    )
    if policies is not None and whole:
        case.asked = finding(policies.families("request"))
    if asked.body_kept != "skeleton":
        case.texts = list(_named(texts(request if whole else None, answer), asked.client_names))
    if policies is not None:
        case.facts = _facts(about(namespace, asked), request, policies)
        case.facts |= _of_answer(told, answer)
    return case


def facts_of(exchange: Exchange, policies: Policies) -> Facts:
    """Of a call of which only the request counts."""
    return _facts(_about_opened(exchange), exchange.request, policies)


def _about_opened(exchange: Exchange) -> About:
    opened = exchange.opened
    return About(
        namespace=opened.namespace,
        provider=opened.provider,
        wire=opened.wire,
        host=opened.host,
        method=opened.method,
        path=opened.path,
        at=opened.at / 1e9,
        client=opened.client,
        user_agent=header(opened.headers, "user-agent"),
        proxy_user=opened.proxy_user,
        credential=opened.credential,
        session=str(exchange.session_id),
        model=exchange.request.model,
        body_bytes=opened.body_bytes,
    )


def _facts(about: About, request: Request, policies: Policies) -> Facts:
    asked = policies.asked("answer") | policies.asked("request")
    return of_request(about, asked, lambda: request)


def _of_answer(row: ResponseRow, answer: Response) -> Facts:
    facts = of_response(answer, row.status, row.body_bytes, row.duration_ms)
    return facts | {"cost.usd": float(row.cost_usd) if row.cost_usd is not None else None}


def _is_left(judged: Judgement | None) -> bool:
    """Did the proxy not come to an end with the request?"""
    return judged is not None and bool(judged.left or judged.faults)


def _asked(judged: Judgement | None) -> frozenset[str]:
    """The detectors that have looked at all of the request, where that were not all."""
    return frozenset() if judged is None or _is_left(judged) else frozenset(judged.asked)


def _decided(opened: Judgement | None, closed: Judgement | None) -> frozenset[tuple[Side, str]]:
    asked: set[tuple[Side, str]] = {("request", one.policy) for one in _decisions(opened)}
    return frozenset(asked | {("response", one.policy) for one in _decisions(closed)})


def _decisions(judged: Judgement | None) -> list[Decision]:
    return judged.decisions if judged else []


def _named(found: Iterable[tuple[Side, Text]], names: ClientNames) -> Iterable[tuple[Side, Text]]:
    """With the names of tools as the client has them."""
    for side, text in found:
        if text.tool and names.prefix:
            text = replace(text, tool=names.of(text.tool))
        yield side, text
