"""A call as suggestions see it, from what is stored of it: for the worker, which builds Evidence."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from llmproxy_core.enhancements.evidence import Observed, Wanted
from llmproxy_core.model import Json, Usage, mapping, text_of
from llmproxy_core.pricing.estimate import tokens
from llmproxy_core.providers.format import items
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.success.call import Call
from llmproxy_core.success.demands import bodies, form_of
from llmproxy_core.success.rate import LEAST, verdict
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Signal
from llmproxy_core.transformations.dialects.registry import dialects

PARAMETERS = ("max_tokens", "temperature", "top_p")
MARKS = ('"cache_control":{', '"cachePoint":{')
"""As `dumps` writes them; within a text the quotes are escaped."""
TOOLS = ("tools", "functions", "toolConfig", "tool_config")
SYSTEM = ("instructions", "system", "preamble", "systemInstruction", "system_instruction")
TURNS = ("messages", "input")
INSTRUCTING = frozenset({"system", "developer"})
CHOICES = ("tool_choice", "toolChoice", "function_call")
LONGEST_ANSWER = 2**20
MOST_TOOLS = 512


def observed(
    call: Call,
    signals: Iterable[Signal],
    *,
    provider: str,
    model: str,
    conversation: str = "",
    turn: int = 0,
    called: Collection[str] = (),
    owner: str = "",
    signed: bool = False,
    counting: Collection[str] = COUNTED,
) -> Observed:
    """`called`: tools that were called anywhere in the conversation. `counting`: names of signals
    that count; rules look for `truncated`, `format` and `refusal`. `signed`: the request's body cannot be changed. Raises nothing."""
    found = list(bodies(call.wire, call.body))
    head, marks = _head(found)
    counted = [one for one in signals if one.weight >= LEAST and one.name in counting]
    return Observed(
        id=str(call.id),
        at=datetime.fromtimestamp(call.at / 1e9, UTC),
        provider=provider,
        model=model,
        wire=call.wire,
        owner=owner,
        conversation=conversation,
        turn=turn,
        parameters=parameters(call.wire, found),
        declared=tuple(tool.name for tool in call.request.tools[:MOST_TOOLS]),
        called=frozenset(called),
        forced=_forced(found),
        usage=call.response.usage or Usage(),
        wanted=wanted(call.wire, call.body),
        is_json=_is_json(call),
        prefix=blake2b(head.encode("utf-8", "replace"), digest_size=16).hexdigest() if head else "",
        prefix_tokens=tokens(head),
        has_system=bool(call.request.system) or _begins_with_system(call),
        breakpoints=marks,
        judged=bool(counted),
        bad=_bad(counted),
        editable=not signed,
    )


def _bad(signals: Collection[Signal]) -> frozenset[str]:
    """None, where a person said that the answer is good."""
    if verdict(signals) == "good":
        return frozenset()
    return frozenset(one.name for one in signals if one.verdict == "bad")


def parameters(wire: str, found: Iterable[Mapping[str, Any]]) -> dict[str, Json]:
    """Those of PARAMETERS by their common names, and whether a tool is chosen (`tool_choice`)."""
    known = dict[str, Json]()
    for fields in found:
        for dialect in dialects(wire):
            for name in PARAMETERS:
                for path in dialect.parameters.get(name, ()):
                    if (value := _at(fields, path)) is not None:
                        known.setdefault(name, value)
        if any(fields.get(key) is not None for key in CHOICES):
            known.setdefault("tool_choice", True)
    return known


def wanted(wire: str, body: Mapping[str, Any]) -> Wanted:
    form = form_of(wire, body)
    if not form.kind:
        return "nothing"
    if form.schema is None:
        return "object"
    strict = ('"strict":true', '"responseSchema":', '"responseJsonSchema":', '"output_config":')
    return "strict" if any(word in dumps(body) for word in strict) else "schema"


def _at(fields: Any, path: Iterable[str | int]) -> Json:
    for step in path:
        fields = mapping(fields).get(str(step))
    return fields if isinstance(fields, bool | int | float | str) else None


def _head(found: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    """Tools and system prompt as one text, without cache marks; and how many marks there are in the
    whole request."""
    pieces, marks = list[str](), 0
    for fields in found:
        pieces += [dumps(_plain(fields[key])) for key in TOOLS + SYSTEM if fields.get(key)]
        for key in TURNS:
            for message in items(fields.get(key)):
                if text_of(message.get("role")) not in INSTRUCTING:
                    break
                pieces.append(dumps(_plain(message)))
        whole = dumps(fields)
        marks = max(marks, sum(whole.count(mark) for mark in MARKS))
    return "\n".join(dict.fromkeys(pieces)), marks


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > 60:
        return None
    if isinstance(value, dict):
        return {
            key: _plain(one, depth + 1)
            for key, one in value.items()
            if key not in ("cache_control", "cachePoint")
        }
    return [_plain(one, depth + 1) for one in value] if isinstance(value, list) else value


def _forced(found: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Names that stand in a choice of tools, however deep: `{"function": {"name": …}}`."""
    names = set[str]()
    for fields in found:
        for choice in [fields.get(key) for key in CHOICES] + [
            mapping(fields.get("toolConfig")).get("toolChoice"),
            mapping(fields.get("toolConfig")).get("functionCallingConfig"),
        ]:
            names |= _names(choice, 6)
    return frozenset(names)


def _names(value: Any, depth: int) -> set[str]:
    found = set[str]()
    if depth and isinstance(value, dict):
        if isinstance(name := value.get("name"), str):
            found.add(name)
        for inner in value.values():
            found |= _names(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:MOST_TOOLS]:
            found |= {inner} if isinstance(inner, str) else _names(inner, depth - 1)
    return found


def _begins_with_system(call: Call) -> bool:
    return bool(call.request.messages) and call.request.messages[0].role == "system"


def _is_json(call: Call) -> bool | None:
    text = call.response.text.strip()
    if not call.says or not text or len(text) > LONGEST_ANSWER:
        return None
    try:
        return isinstance(orjson.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
