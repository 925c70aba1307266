"""`bedrock.invoke` and `bedrock.invoke-with-response-stream`: bodies in the words of each maker.

Which words, the body itself tells: the model in the path may be an ARN. Pieces of a stream come as
`{"bytes": base64 of JSON}`, the last one with `amazon-bedrock-invocationMetrics`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

import binascii
from base64 import b64decode
from typing import Any

from llmproxy_core.model import ApiError, Headers, Message, Part, Request, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.bedrock_converse import model_in
from llmproxy_core.providers.bedrock_makers import speaker
from llmproxy_core.providers.format import Body, attachment, count, items
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.settings import session_hints, settings

METRICS = "amazon-bedrock-invocationMetrics"
TRACE = "amazon-bedrock-trace"
"""Ends the answer of a guardrail."""
HEADER = "x-amzn-bedrock-"
TOLD = ("input-token-count", "output-token-count")
PROMPTS = ("prompt", "inputText", "message")
NOT_SETTINGS = frozenset({*PROMPTS, "texts", "inputs", "text_prompts"})
FINISHES = (
    "completionReason",
    "completion_reason",
    "finish_reason",
    "stop_reason",
    "finishReason",
)
TEXTS = ("generation", "outputText", "completion", "text", "content")
PIECES = ("generations", "results", "outputs", "completions", "choices")
READS = ("prompt_token_count", "inputTextTokenCount")
WRITES = ("generation_token_count", "totalOutputTextTokenCount", "tokenCount")
VECTORS = ("embedding", "embeddings", "embeddingsByType")


class BedrockInvoke:
    def request(self, body: Body, path: str) -> Request:
        inner = speaker(body)
        request = inner.request(body, path) if inner else _text_request(body)
        request.model = model_in(path) or request.model
        request.stream = path.partition("?")[0].endswith("-stream")
        return request

    def answer(self, body: Body, into: Assembler) -> None:
        if inner := speaker(body):
            inner.answer(_worded(body), into)
        elif any(key in body for key in VECTORS):
            _vectors(body, into)
        elif isinstance(pictures := body.get("images"), list):
            _pictures(pictures, body, into)
        else:
            _whole(body, into)
        _metrics(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        piece = _unpacked(event)
        if piece is None:
            into.unknown_event(name or "without bytes")
            return
        if inner := speaker(piece):
            inner.event(_kind(piece), _worded(piece), into)
        elif _says(piece):
            _whole(piece, into)
            into.closed = into.closed or into.finished() or TRACE in piece
        elif error := read_error(piece):
            into.error = error
            into.closed = True
        elif METRICS not in piece:
            into.unknown_event(_kind(piece) or next(iter(piece), "empty"))
        if METRICS in piece:
            _metrics(piece, into)
            into.closed = True


def _unpacked(event: Body) -> Body | None:
    data = event.get("bytes")
    if not isinstance(data, str):
        return event if event else None
    try:
        value, _ = parse(b64decode(data))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _worded(body: Body) -> Body:
    """Mistral's chats say `stop_reason` here, where theirs say `finish_reason`."""
    choices = items(body.get("choices"))
    if not any(choice.get("stop_reason") for choice in choices):
        return body
    told = [{"finish_reason": choice.get("stop_reason"), **choice} for choice in choices]
    return {**body, "choices": told}


def _kind(body: Body) -> str:
    return text_of(body.get("type"))


def _says(piece: Body) -> bool:
    return any(key in piece for key in (*TEXTS, *PIECES, *FINISHES))


def _text_request(body: Body) -> Request:
    """Llama, Titan, Jurassic, Command and others: one prompt, or texts to be embedded."""
    texts = body.get("texts") or body.get("inputs")
    if not isinstance(texts, list):
        texts = [one.get("text") for one in items(body.get("text_prompts"))] or [_prompt(body)]
    return Request(
        messages=[
            Message("user", [Part("text", text)])
            for text in texts
            if isinstance(text, str) and text
        ],
        parameters=settings(body, NOT_SETTINGS),
        session_hints=session_hints(body),
    )


def _prompt(body: Body) -> Any:
    """Nova's pictures and embeddings have theirs within `textToImageParams` and the like."""
    for key, value in body.items():
        if key in PROMPTS and value:
            return value
        if key.endswith("Params") and (text := mapping(value).get("text")):
            return mapping(text).get("value", text)
    return None


def _whole(body: Body, into: Assembler) -> None:
    """The answer of a text model, or a piece of it: pieces differ only in size."""
    into.id = text_of(body.get("generation_id")) or text_of(body.get("id")) or into.id
    into.model = text_of(body.get("model")) or into.model
    pieces = next((items(body[key]) for key in PIECES if items(body.get(key))), [body])
    for choice, piece in enumerate(pieces):
        told = piece.get("index")
        _piece(piece, told if type(told) is int else choice, into)
    counted = _usage({**mapping(into.usage and into.usage.raw), **body}, pieces[0])
    if counted.raw:
        into.usage = counted


def _vectors(body: Body, into: Assembler) -> None:
    """Titan gives one, Cohere a list or lists by type, Nova objects."""
    if "inputTextTokenCount" in body:
        into.usage = _usage(body, {})
    found = body.get("embeddings")
    if isinstance(found, dict):
        found = next((one for one in found.values() if isinstance(one, list)), None)
    into.n_embeddings = len(found) if isinstance(found, list) else 1


def _pictures(pictures: list[Any], body: Body, into: Assembler) -> None:
    """Nova Canvas, Titan and Stability: base64, one each."""
    into.choice()
    for data in pictures:
        into.part(Part("image", attachment(size=len(text_of(data)))))
    if error := text_of(body.get("error")):
        into.error = ApiError(None, error)


def _piece(piece: Body, choice: int, into: Assembler) -> None:
    into.choice(choice)
    data = mapping(piece.get("data")) or piece
    text = next((data[key] for key in TEXTS if isinstance(data.get(key), str)), "")
    if text and not piece.get("is_finished"):
        into.add("text", text, choice)
    reason = next((piece[key] for key in FINISHES if piece.get(key) is not None), None)
    reason = mapping(reason).get("reason", reason)
    if reason is not None:
        into.finish(str(reason), choice)


def _usage(body: Body, piece: Body) -> Usage:
    """Counters stand beside the text; only those are kept as `raw`."""
    given = mapping(body.get("usage"))
    raw = {
        key: value
        for key, value in {**piece, **body, **given}.items()
        if key in (*READS, *WRITES, "prompt_tokens", "completion_tokens", "total_tokens")
    }
    reads = next((count(raw[key]) for key in (*READS, "prompt_tokens") if key in raw), None)
    writes = next((count(raw[key]) for key in (*WRITES, "completion_tokens") if key in raw), None)
    return Usage(reads, writes, raw=dict(given) or raw or None)


def _metrics(body: Body, into: Assembler) -> None:
    """What Amazon itself counted, where the model's own words say nothing."""
    told = mapping(body.get(METRICS))
    if told and (into.usage is None or into.usage.output_tokens is None):
        into.usage = Usage(
            count(told.get("inputTokenCount")),
            count(told.get("outputTokenCount")),
            count(told.get("cacheReadInputTokenCount")),
            count(told.get("cacheWriteInputTokenCount")),
            raw=dict(told),
        )


def usage_in(headers: Headers) -> Usage | None:
    """Amazon tells its counts in the headers of whole answers, for all models."""
    told = {key.lower(): value for key, value in headers if key.lower().startswith(HEADER)}
    counts = [told.get(HEADER + name, "") for name in TOLD]
    read, written = (
        int(c) if c.isascii() and c.isdigit() and len(c) < 16 else None for c in counts
    )
    if read is None and written is None:
        return None
    names = (HEADER + name for name in TOLD)
    return Usage(read, written, raw={name: told[name] for name in names if name in told})
