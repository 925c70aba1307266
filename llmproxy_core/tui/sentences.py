"""Events as a person would tell them: a new kind is a function and a line in `SENTENCES`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from llmproxy_core.model import Json
from llmproxy_core.store.call_rows import EventRow
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.widgets.columns import Tone

type Data = Mapping[str, Json]


class Sentence(NamedTuple):
    text: str
    tone: Tone


def _first(data: Data, *keys: str, otherwise: str = "") -> str:
    for key in keys:
        if data.get(key) not in (None, ""):
            return plain.line(str(data[key]))
    return otherwise


def _number(data: Data, key: str) -> int:
    value = data.get(key)
    return int(value) if isinstance(value, int | float) else 0


def _tls_failed(data: Data) -> Sentence:
    program, client = _first(data, "program"), _first(data, "client")
    who = f"{program} ({client})" if program and client else program or client or "a program"
    host = _first(data, "host", otherwise="an LLM host")
    if data.get("distrusts_ca") is False:
        return Sentence(f"{who} broke off TLS with {host}: {_first(data, 'error')}", "warn")
    return Sentence(f"{who} does not trust the CA for {host}: see `llmproxy cert`", "warn")


TO_DO = {
    "max_bytes": "start the worker and the database, or raise spool.max_bytes",
    "min_free_bytes": "free disk space, then start the worker",
}
"""What helps when a limit of the journal was hit."""


def _gap(data: Data) -> Sentence:
    lost = figures.size(_number(data, "bytes"))
    reason = _first(data, "reason")
    if reason == "damaged":
        return Sentence(
            f"a journal is damaged: {lost} could not be read, all around it was stored; "
            "check the disk",
            "bad",
        )
    records, bodies = _number(data, "records"), _number(data, "bodies")
    counts = [f"{records} record{'s' * (records != 1)}"] if records or not bodies else []
    counts += [f"{bodies} {'body' if bodies == 1 else 'bodies'}"] if bodies else []
    what = f"{' and '.join(counts)} ({lost})"
    if reason in TO_DO:
        return Sentence(
            f"{what} not kept: the journal was at spool.{reason}; {TO_DO[reason]}", "bad"
        )
    return Sentence(
        f"{what} could not be written, is the disk full? The traffic went on; free disk space",
        "bad",
    )


OUTCOMES = {
    "approvals": "refused the call, as nobody could be asked",
    "policies": "did with the call what on_fault says",
}
"""What becomes of a call when these fail; all others let it pass."""


def _fault(data: Data) -> Sentence:
    where = _first(data, "where", otherwise="an addon")
    place = f" ({place})" if (place := _first(data, "place")) else ""
    addon = where.partition(".")[0]
    became = OUTCOMES.get(addon.lower(), "let the traffic pass")
    return Sentence(f"{where} failed and {became}: {_first(data, 'error')}{place}", "bad")


def _row_refused(data: Data) -> Sentence:
    table, reason = _first(data, "table", otherwise="a table"), _first(data, "reason")
    return Sentence(
        f"a row of {table} was stored without what Postgres refused: {reason}; please report it",
        "warn",
    )


def _namespace_clash(data: Data) -> Sentence:
    namespace, loser = _first(data, "namespace"), _first(data, "loser")
    lost = _first(data, "lost")
    if lost == "prefix":
        text = f"mitm.toml gives {namespace} the prefix {_first(data, 'prefix')}, {loser} lost it"
    elif lost == "rule":
        text = f"mitm.toml has a rule for namespace {loser}: it replaces that of the database"
    else:
        text = f"mitm.toml has rules for {namespace} and {loser}, which are one namespace"
    return Sentence(f"{text}: see `llmproxy ns list`", "warn")


def _clash(what: str, data: Data) -> Sentence:
    return Sentence(
        f"mitm.toml has the {what} {_first(data, what, otherwise='?')}: the one in the database has "
        "made way for it, `llmproxy audit list` tells what it was",
        "warn",
    )


def _proxy_started(data: Data) -> Sentence:
    return Sentence(f"the proxy started on {_first(data, 'address', otherwise='?')}", "good")


def _proxy_stopped(_: Data) -> Sentence:
    return Sentence("the proxy stopped", "dim")


SENTENCES: dict[str, Callable[[Data], Sentence]] = {
    "tls_failed": _tls_failed,
    "gap": _gap,
    "fault": _fault,
    "row_refused": _row_refused,
    "namespace_clash": _namespace_clash,
    "policy_clash": partial(_clash, "policy"),
    "transformation_clash": partial(_clash, "transformation"),
    "proxy_started": _proxy_started,
    "proxy_stopped": _proxy_stopped,
}


def sentence(event: EventRow) -> Sentence:
    """What happened; an event of a kind that this version does not know is shown as it is."""
    tell = SENTENCES.get(event.kind)
    if tell:
        return tell(event.data)
    facts = ", ".join(
        f"{plain.line(key)}={plain.line(str(value))}" for key, value in event.data.items()
    )
    return Sentence(plain.line(f"{event.kind} {facts}"), "text")
