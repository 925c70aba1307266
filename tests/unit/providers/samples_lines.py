"""Hand-written exchanges of Cohere and Ollama: server-sent events and lines of JSON."""

from typing import Any

from tests.unit.providers.sample import Event, Sample, ndjson

TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Tells it"}}]
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Oslo? ☂"},
]
COHERE_USAGE = {
    "billed_units": {"input_tokens": 7, "output_tokens": 9},
    "tokens": {"input_tokens": 69, "output_tokens": 12},
    "cached_tokens": 8,
}


def _cohere(kind: str, message: dict[str, Any], **more: Any) -> Event:
    return {"type": kind, "delta": {"message": message}, **more}


COHERE_CHAT = Sample(
    wire="cohere.chat",
    request={"model": "gpt-x", "stream": True, "messages": ASKED, "tools": TOOLS},
    whole={
        "id": "c-1",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "tool_plan": "Need the tool.",
            "content": [{"type": "text", "text": "Ich schaue nach: ü 😀"}],
            "tool_calls": [
                {
                    "id": "weather_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        "usage": COHERE_USAGE,
    },
    events=[
        {"id": "c-1", **_cohere("message-start", {"role": "assistant", "tool_plan": ""})},
        _cohere("tool-plan-delta", {"tool_plan": "Need the "}),
        _cohere("tool-plan-delta", {"tool_plan": "tool."}),
        _cohere("content-start", {"content": {"type": "text", "text": ""}}, index=0),
        _cohere("content-delta", {"content": {"text": "Ich schaue "}}, index=0),
        _cohere("content-delta", {"content": {"text": "nach: ü 😀"}}, index=0),
        {"type": "content-end", "index": 0},
        _cohere(
            "tool-call-start",
            {"tool_calls": {"id": "weather_1", "function": {"name": "weather", "arguments": ""}}},
            index=0,
        ),
        _cohere("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"city"'}}}, index=0),
        _cohere(
            "tool-call-delta", {"tool_calls": {"function": {"arguments": ':"Oslo"}'}}}, index=0
        ),
        {"type": "tool-call-end", "index": 0},
        {
            "type": "message-end",
            "delta": {"finish_reason": "TOOL_CALL", "usage": COHERE_USAGE},
        },
    ],
    done=True,
    last=b"message-end",
)

COHERE_V1_WHOLE = {
    "response_id": "r-1",
    "text": "Ahoi ü 😀",
    "generation_id": "g-1",
    "finish_reason": "COMPLETE",
    "meta": {"tokens": {"input_tokens": 69, "output_tokens": 3}},
}
COHERE_V1 = Sample(
    wire="cohere.chat",
    request={
        "model": "gpt-x",
        "stream": True,
        "preamble": "Be brief.",
        "chat_history": [{"role": "CHATBOT", "message": "Hi"}],
        "message": "Weather in Oslo?",
    },
    whole=COHERE_V1_WHOLE,
    events=[
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g-1"},
        {"is_finished": False, "event_type": "text-generation", "text": "Ahoi "},
        {"is_finished": False, "event_type": "text-generation", "text": "ü 😀"},
        {
            "is_finished": True,
            "event_type": "stream-end",
            "response": COHERE_V1_WHOLE,
            "finish_reason": "COMPLETE",
        },
    ],
    speaks=False,
    encode=ndjson,
    kind="application/stream+json",
    last=b"stream-end",
)

COHERE_EMBED = Sample(
    wire="cohere.embed",
    request={"model": "gpt-x", "texts": ["Weather in Oslo?", "b"], "embedding_types": ["float"]},
    whole={
        "id": "e-1",
        "embeddings": {"float": [[0.1, 0.2], [0.3, 0.4]]},
        "texts": ["Weather in Oslo?", "b"],
        "meta": {"billed_units": {"input_tokens": 6}},
    },
    events=[],
    speaks=False,
)
RERANKED = {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}
COHERE_RERANK = Sample(
    wire="cohere.rerank",
    request={"model": "gpt-x", "query": "Weather in Oslo?", "documents": ["a", {"text": "b"}]},
    whole={"id": "k-1", **RERANKED, "meta": {"billed_units": {"search_units": 1}}},
    events=[],
    speaks=False,
)
RERANK = Sample(
    wire="rerank",
    request={"model": "gpt-x", "query": "Weather in Oslo?", "documents": ["a", "b"], "top_k": 2},
    whole={"data": RERANKED["results"], "model": "gpt-x", "usage": {"total_tokens": 9}},
    events=[],
    speaks=False,
)

OLLAMA_END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 171946792,
    "prompt_eval_count": 16,
    "eval_count": 22,
}
WEATHER = [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]


def _ollama(message: dict[str, Any], **more: Any) -> Event:
    return {"model": "gpt-x", "message": {"role": "assistant", **message}, "done": False, **more}


OLLAMA_CHAT = Sample(
    wire="ollama.chat",
    request={"model": "gpt-x", "messages": ASKED, "tools": TOOLS, "options": {"temperature": 0}},
    whole=_ollama(
        {
            "thinking": "Need the tool.",
            "content": "Ich schaue nach: ü 😀",
            "tool_calls": WEATHER,
        },
        **OLLAMA_END,
    ),
    events=[
        _ollama({"content": "", "thinking": "Need the "}),
        _ollama({"content": "", "thinking": "tool."}),
        _ollama({"content": "Ich schaue "}),
        _ollama({"content": "nach: ü 😀"}),
        _ollama({"content": "", "tool_calls": WEATHER}),
        _ollama({"content": ""}, **OLLAMA_END),
    ],
    encode=ndjson,
    kind="application/x-ndjson",
    last=b'"done_reason"',
)
OLLAMA_GENERATE = Sample(
    wire="ollama.generate",
    request={"model": "gpt-x", "prompt": "Weather in Oslo?", "system": "Be brief.", "images": []},
    whole={"model": "gpt-x", "thinking": "Hm.", "response": "Rain ü 😀", **OLLAMA_END},
    events=[
        {"model": "gpt-x", "response": "", "thinking": "Hm.", "done": False},
        {"model": "gpt-x", "response": "Rain ", "done": False},
        {"model": "gpt-x", "response": "ü 😀", "done": False},
        {"model": "gpt-x", "response": "", **OLLAMA_END},
    ],
    speaks=False,
    encode=ndjson,
    kind="application/x-ndjson",
    last=b'"done_reason"',
)
OLLAMA_EMBED = Sample(
    wire="ollama.embed",
    request={"model": "gpt-x", "input": ["Weather in Oslo?"]},
    whole={"model": "gpt-x", "embeddings": [[0.1, 0.2]], "prompt_eval_count": 5},
    events=[],
    speaks=False,
)
OLLAMA_EMBEDDINGS = Sample(
    wire="ollama.embeddings",
    request={"model": "gpt-x", "prompt": "Weather in Oslo?"},
    whole={"embedding": [0.1, 0.2]},
    events=[],
    speaks=False,
)

SAMPLES = [
    COHERE_CHAT,
    COHERE_V1,
    COHERE_EMBED,
    COHERE_RERANK,
    RERANK,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    OLLAMA_EMBED,
    OLLAMA_EMBEDDINGS,
]
